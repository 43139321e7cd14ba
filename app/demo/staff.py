"""The people who run the demonstration's program: invented, known to fellows by role only."""

from dataclasses import dataclass

from app.access.principals import Role


@dataclass(frozen=True, slots=True)
class StaffMember:
    """`code` is how panels and decisions name an assessor; `school` keeps them from reading their colleagues' work."""

    key: str
    name: str
    roles: tuple[Role, ...]
    code: str | None = None
    school: str | None = None

    @property
    def email(self) -> str:
        return f"{self.key}@academy.example.org"


STAFF = (
    StaffMember("director", "Miriam Castellanos", ("director",)),
    StaffMember("faculty-1", "Edmund Halloran", ("lead",)),
    StaffMember("faculty-2", "Yvette Marchand", ("lead",)),
    StaffMember("faculty-3", "Ruben Achterberg", ("lead",)),
    StaffMember("approver-1", "Gloria Whitcombe", ("approver",)),
    StaffMember("approver-2", "Anselm Brandvold", ("approver",)),
    StaffMember("assessor-1", "Delphine Arceneaux", ("assessor",), "SILA-A1", "school-04"),
    StaffMember("assessor-2", "Horace Lindemann", ("assessor",), "SILA-A2", "school-09"),
    StaffMember("assessor-3", "Ngozi Adeyemi", ("assessor",), "SILA-A3", "school-13"),
    StaffMember("assessor-4", "Patricia Sandoval-Reyes", ("assessor",), "SILA-A4", "school-17"),
    StaffMember("assessor-5", "Theo Vandenberg", ("assessor",), "SILA-A5", "school-22"),
    StaffMember("assessor-6", "Imelda Fairchild", ("assessor", "lead"), "SILA-A6", "school-26"),
    StaffMember("assessor-7", "Kofi Mensah-Blake", ("assessor", "lead"), "SILA-A7", "school-31"),
)

MASTERS = ("faculty-1", "faculty-2", "faculty-3")
"""Who read the anchors, and so never reads fellows' work."""

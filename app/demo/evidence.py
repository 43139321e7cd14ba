"""What fellows submit: templates of evidence and of the narrative that connects it.

Slots in braces are filled from a case (`app.demo.cases`), a fellow's figures (`before`, `after`, `n`), and, in narratives,
the setting (`school`, `grades`, `enrollment`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of evidence. `name` and `narrative` have the slots of a case; `description` says what form it has."""

    genre: str
    name: str
    narrative: str
    description: str


_EQUITY_PIECES: dict[str, tuple[Piece, ...]] = {
    "Performance task": (
        Piece(
            "Performance task",
            "Context and analysis: {focus}",
            "Sets out the inequity for {group}, the data behind it ({sources}), and the school’s own part in it.",
            "Text with tables, 14 pages",
        ),
        Piece(
            "Performance task",
            "Equity inquiry into {focus}",
            "Follows the inquiry from the first data to the choice of a change. Draws on {sources}.",
            "Text with tables, 11 pages",
        ),
        Piece(
            "Performance task",
            "Overview of the work with {group}",
            "Describes the school, what was heard through {voices}, and why the team began with {cause_in_full}.",
            "Text, 9 pages",
        ),
    ),
    "Artifact": (
        Piece(
            "Artifact",
            "Before and after: {focus}",
            "Sets the old practice ({cause}) next to the new one: {practice_in_full}.",
            "Two documents with comments in the margin",
        ),
        Piece(
            "Artifact",
            "Planning notes of the staff team",
            "Annotated notes from eight weekly meetings. They show how colleagues were supported and what was adjusted.",
            "Meeting notes, de-identified, 12 pages",
        ),
        Piece(
            "Artifact",
            "Listening record",
            "What was heard through {voices}, in participants’ own words, and which decisions followed.",
            "Notes, de-identified, 6 pages",
        ),
        Piece(
            "Artifact",
            "Guide for colleagues",
            "Written with teachers who use it. The practice it describes is {practice_in_full}.",
            "Handbook, 8 pages",
        ),
    ),
    "Reflection": (
        Piece(
            "Reflection",
            "What I had not seen about {focus}",
            "Looks back on an assumption about {cause} and on what colleagues and families made of it.",
            "Text, 780 words",
        ),
        Piece(
            "Reflection",
            "Leading without having the answer",
            "Takes up what was said through {voices} and how it changed the leader’s next decision.",
            "Recording with transcript, 7 minutes",
        ),
        Piece(
            "Reflection",
            "Leadership reflection",
            "Considers role and authority in a school that serves {group}, and names next steps with dates.",
            "Text, 850 words",
        ),
    ),
    "Impact": (
        Piece(
            "Impact",
            "Change in numbers",
            "Followed for {n} students: {measure}, {before} before and {after} after the change.",
            "Spreadsheet and two-page summary; groups of ten or more",
        ),
        Piece(
            "Impact",
            "What changed for {group}",
            "Reports {measure} over the period, beside the figures of other students, with limits stated.",
            "Report, 5 pages; groups of ten or more",
        ),
        Piece(
            "Impact",
            "Indicator and student comments",
            "Two kinds of evidence about {focus}: a count that went from {before} to {after}, and comments by students.",
            "Report, 7 pages, de-identified",
        ),
    ),
}
_IMPROVEMENT_PIECES: dict[str, tuple[Piece, ...]] = {
    "Performance task": (
        Piece(
            "Performance task",
            "Improvement portfolio: {focus}",
            "Problem, system, theory, and the dated record of all cycles on {change_in_full}.",
            "Portfolio, 24 pages",
        ),
        Piece(
            "Performance task",
            "From problem to tested change",
            "How the {team} came from {cause} to {change}, cycle by cycle.",
            "Portfolio, 19 pages",
        ),
        Piece(
            "Performance task",
            "Record of the {team}",
            "Baseline, process map, driver diagram, cycle forms, and run chart of the work on {focus}.",
            "Portfolio, 27 pages",
        ),
    ),
    "Artifact": (
        Piece(
            "Artifact",
            "Cause-and-effect diagram",
            "Made with people who do the work. The team’s reasons for starting with {cause} are noted on it.",
            "Diagram with notes, 2 pages",
        ),
        Piece(
            "Artifact",
            "Tools used in the tests",
            "Forms and scripts with which the team tested {change}, in three dated versions.",
            "Forms, 5 pages",
        ),
        Piece(
            "Artifact",
            "Meeting notes of the {team}",
            "Notes of four meetings at which the data were read and the next test was decided.",
            "Notes, de-identified, 8 pages",
        ),
    ),
    "Reflection": (
        Piece(
            "Reflection",
            "A prediction that failed",
            "What a wrong prediction about {change} taught the leader and the team.",
            "Text, 720 words",
        ),
        Piece(
            "Reflection",
            "Learning with the {team}",
            "How colleagues’ readings of the data changed decisions, and what is to be kept, spread, or dropped.",
            "Text, 810 words",
        ),
        Piece(
            "Reflection",
            "From fixing to testing",
            "Describes how the leader’s own habits changed while the team worked on {focus}.",
            "Recording with transcript, 8 minutes",
        ),
    ),
    "Impact": (
        Piece(
            "Impact",
            "Run chart with annotations",
            "Shows {measure} over time, from {before} to {after}, with every change marked.",
            "Chart and one-page reading of it",
        ),
        Piece(
            "Impact",
            "Measures over one semester",
            "The outcome with its process measure ({signal}) and its balancing measure ({balance}).",
            "Spreadsheet and summary; groups of ten or more",
        ),
        Piece(
            "Impact",
            "For whom it worked",
            "Breaks {measure} down by student group and discusses where the change did less.",
            "Report, 4 pages; groups of ten or more",
        ),
    ),
}
PIECES = {"equity": _EQUITY_PIECES, "improvement": _IMPROVEMENT_PIECES}
OPTIONAL_GENRES = {"equity": ("Performance task",), "improvement": ("Artifact", "Impact")}
INTERIM_PIECES: dict[str, tuple[Piece, ...]] = {
    "Performance task": (
        Piece(
            "Performance task",
            "Account of the work so far: {focus}",
            "Describes the school, the starting point, and the steps taken up to the day of submission.",
            "Text, 10 pages",
        ),
        Piece(
            "Performance task",
            "Project file on {focus}",
            "Collects what was written in the course of the work, in order of date.",
            "Portfolio, 15 pages",
        ),
    ),
    "Artifact": (
        Piece(
            "Artifact",
            "Working documents",
            "Documents from the work on {focus}, as they stood at the time of submission.",
            "Documents, 7 pages",
        ),
        Piece(
            "Artifact",
            "Slides and handouts for colleagues",
            "What colleagues were given, with the presenter’s notes.",
            "Slides, 18 pages",
        ),
    ),
    "Reflection": (
        Piece(
            "Reflection",
            "Reflection on the first months",
            "The leader looks back on the work on {focus} up to this point.",
            "Text, 640 words",
        ),
        Piece("Reflection", "Where we stand", "Written at the end of the first phase of the work.", "Text, 690 words"),
    ),
    "Impact": (
        Piece(
            "Impact",
            "Results to date",
            "What could be reported about {focus} at the time of submission.",
            "Summary, 2 pages; groups of ten or more",
        ),
        Piece(
            "Impact",
            "First observations",
            "Early observations on {focus}, with notes on what is still to be collected.",
            "Summary, 3 pages; groups of ten or more",
        ),
    ),
}
"""For submissions that fell short: these say only what they are, so that no assessor's reason contradicts them."""

NARRATIVES = {
    "equity": [
        "The work took place in {school} ({grades}, about {enrollment} students). It concerned {focus} and led to "
        "{practice_in_full}.",
        "In {school} (about {enrollment} students, {grades}), the focus was {focus}. The change grew out of {voices}.",
        "Setting: {school}, {grades}, about {enrollment} students. Focus: {focus}, with particular attention to {group}.",
        "The fellow works in {school} ({grades}, about {enrollment} students) and, together with colleagues, took on "
        "{focus} by looking first at {cause}.",
    ],
    "improvement": [
        "The work took place in {school} ({grades}, about {enrollment} students). The problem of practice: {focus}.",
        "In {school} (about {enrollment} students, {grades}), the {team} took up a problem of practice, {focus}. The "
        "change it tested was {change_in_full}.",
        "Setting: {school}, {grades}, about {enrollment} students. Focus: {focus}, as seen by {users}.",
        "The fellow works in {school} ({grades}, about {enrollment} students) and led the {team}, which tested {change_in_full}.",
    ],
}
INTERIM_NARRATIVES = [
    "Setting: {school}, {grades}, about {enrollment} students. Focus of the work: {focus}.",
    "The fellow works in {school} ({grades}, about {enrollment} students). The submission concerns {focus}.",
    "The work is under way in {school} (about {enrollment} students, {grades}). Its subject is {focus}.",
]

"""The academy's two micro-credentials, each as a body of POST /v1/achievements: text, rubric, task, evidence, settings.

Both rubrics are analytic: six criteria, four levels each, lowest first, and "demonstrated" passes. The first is decided
conjunctively, the second lets one criterion that is not mandatory stay one level short.
"""

from typing import Any

LEVEL_NAMES = {
    "not-evident": "Not evident",
    "developing": "Developing",
    "demonstrated": "Demonstrated",
    "exemplary": "Exemplary",
}
"""Level key -> name, lowest first; the same four in every criterion."""

PASSING_LEVEL = "demonstrated"

ACADEMY: dict[str, Any] = {
    "id": "https://academy.example.org/",
    "name": "School Improvement Leadership Academy",
    "url": "https://academy.example.org/",
    "description": (
        "Prepares principals, assistant principals, and teacher leaders to improve their own schools with colleagues, "
        "students, and families. An invented organization for demonstration."
    ),
}

_SETTINGS: dict[str, Any] = {
    "status_purpose": "revocation",
    "visibility": "unlisted",
    "proof_profiles": ["eddsa-rdfc-2022"],
    "recipient_name": True,
}


def _criterion(
    key: str,
    name: str,
    description: str,
    *,
    not_evident: str,
    developing: str,
    demonstrated: str,
    exemplary: str,
    alignments: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    descriptions = (not_evident, developing, demonstrated, exemplary)
    body: dict[str, Any] = {
        "key": key,
        "name": name,
        "description": description,
        "passing_level": PASSING_LEVEL,
        "levels": [
            {"key": level, "name": level_name, "description": text}
            for (level, level_name), text in zip(LEVEL_NAMES.items(), descriptions, strict=True)
        ],
    }
    if alignments:
        body["alignments"] = [dict(alignment) for alignment in alignments]
    return body


def _psel(number: int, name: str, description: str) -> dict[str, Any]:
    """One of the Professional Standards for Educational Leaders, which are published as a whole, not standard by standard."""
    return {
        "target_name": name,
        "target_url": "https://www.npbea.org/",
        "target_code": f"PSEL {number}",
        "target_description": description,
        "target_framework": "Professional Standards for Educational Leaders (NPBEA, 2015)",
    }


_PSEL_EQUITY = _psel(
    3, "Equity and Cultural Responsiveness", "Leaders see to equal opportunity and culturally responsive practice."
)
_PSEL_CARE = _psel(
    5,
    "Community of Care and Support for Students",
    "Leaders build a school in which every student is known and cared for.",
)
_PSEL_STAFF = _psel(
    7, "Professional Community for Teachers and Staff", "Leaders build the conditions in which staff learn together."
)
_PSEL_FAMILIES = _psel(
    8, "Meaningful Engagement of Families and Community", "Leaders engage families and community to mutual benefit."
)
_PSEL_IMPROVEMENT = _psel(10, "School Improvement", "Leaders act as agents of continuous improvement.")
_CARNEGIE: dict[str, Any] = {
    "target_name": "Core principles of improvement",
    "target_url": "https://www.carnegiefoundation.org/",
    "target_description": "Principles for improving schools through disciplined inquiry in networked communities.",
    "target_framework": "Improvement science in education (Carnegie Foundation for the Advancement of Teaching)",
}
_LEARNING_FORWARD: dict[str, Any] = {
    "target_name": "Equity practices",
    "target_url": "https://standards.learningforward.org/",
    "target_description": "Professional learning that helps educators know their students and act for equity.",
    "target_framework": "Standards for Professional Learning (Learning Forward, 2022)",
}


EQUITABLE_PRACTICES: dict[str, Any] = {
    "external_id": "sila-equitable-practices",
    "name": "Implementing Equitable Practices",
    "description": (
        "The holder found an inequity in students' access, opportunity, or experience at their own school, traced it to "
        "something the school does, changed that practice together with colleagues, students, and families, and showed "
        "with evidence what changed for the students affected."
    ),
    "achievement_type": "MicroCredential",
    "criteria": {
        "narrative": "\n\n".join(
            (
                "**What you show.** You lead one piece of real work in your own school. You find an inequity and show it "
                "with data. You listen to the students and families it affects, look for the school's own part in it, "
                "change a practice with colleagues, and follow what happens to students. Then you reflect on your "
                "leadership. Hours, courses, and attendance do not count; what you show does.",
                "**How it is judged.** Two or three certified assessors read your submission without knowing your name. "
                "They judge each of the six criteria against its four level descriptions and give a reason for every "
                "level. You earn the micro-credential when all six criteria are at Demonstrated or above. Strength in "
                "one does not make up for a gap in another. A result that fell short of your hopes can pass: what is "
                "judged is how well the work was led and how honestly its effect is reported.",
                "**Evidence.** Submit at least one artifact of the changed practice, one reflection, and one body of "
                "evidence about impact on students. The work must be your own and from the last two years. Say what "
                "colleagues contributed and where you used AI tools. Remove students' names, faces, and anything else "
                "that could identify them, report numbers only for groups of ten or more, and confirm that you have the "
                "permissions your district requires.",
                "**If it is not there yet.** You receive the level and the reason for every criterion. Revise only the "
                "criteria that fell short and submit again when you are ready; what you have already demonstrated "
                "stands. Other assessors read the revision where possible, and they do not see the earlier levels. "
                "There is no limit on attempts. After the third, a coach meets with you first.",
            )
        )
    },
    "tags": ["equity", "school leadership", "culturally responsive practice", "family engagement", "student voice"],
    "in_language": "en",
    "field_of_study": "Educational leadership",
    "specialization": "Equitable practices",
    "human_code": "SILA-EQ",
    "image_caption": "Badge of the micro-credential Implementing Equitable Practices",
    "creator": ACADEMY,
    "alignments": [_PSEL_EQUITY, _PSEL_CARE, _PSEL_FAMILIES, _LEARNING_FORWARD],
    "rubric": {
        "criteria": [
            _criterion(
                "identify-inequity",
                "Identifying an inequity",
                "Names one specific inequity in students' access, opportunity, or experience and shows that it exists in "
                "this school.",
                not_evident=(
                    "A general concern, such as low achievement, is described without saying which students experience "
                    "what differently. School data are missing or are not broken down by student group."
                ),
                developing=(
                    "A student group and a gap are named, and one source of data broken down by group is shown. Either "
                    "the data are too old or too broad to show that the gap exists here and now, or the gap is described "
                    "as something students or families lack."
                ),
                demonstrated=(
                    "One inequity is stated with the students it affects and the size of the difference. At least two "
                    "current sources of school data, broken down by student group, support it. The difference is "
                    "described as a condition the school can change, not as a shortcoming of students or families."
                ),
                exemplary=(
                    "The inequity is located precisely: for whom, where in the school day or program, and since when. "
                    "Three or more sources, among them what students themselves report, are brought together, and cases "
                    "that do not fit the pattern are discussed. The limits of the data are stated, such as small groups "
                    "or missing records."
                ),
                alignments=(_PSEL_EQUITY,),
            ),
            _criterion(
                "affected-voices",
                "Listening to those affected",
                "Seeks out the students and families whom the inequity affects and lets what they say shape the work.",
                not_evident=(
                    "School staff alone decided about the work. Students and families appear only as numbers or as people "
                    "to be informed."
                ),
                developing=(
                    "Students or families were asked, but few of those most affected took part, or they could only answer "
                    "fixed questions. Their views are summarized, and nothing in the work is shown to have changed "
                    "because of them."
                ),
                demonstrated=(
                    "Students and families most affected were heard in a form that suited them, for example in their home "
                    "language or at a time they chose. What they said is reported in their own terms. At least one "
                    "decision about the work can be traced to it."
                ),
                exemplary=(
                    "Students and families most affected helped define the problem and returned later to judge what was "
                    "being done about it. A disagreement between what the school assumed and what they said is shown, "
                    "with how it was settled. They were told what came of their contribution."
                ),
                alignments=(_PSEL_FAMILIES,),
            ),
            _criterion(
                "school-causes",
                "Examining the school's own part",
                "Finds the policies, routines, or shared expectations within the school's control that keep the inequity "
                "in place.",
                not_evident=(
                    "Causes are not discussed, or all of them lie outside the school, such as home circumstances. No "
                    "policy, routine, or habit of the school is examined."
                ),
                developing=(
                    "A school policy or routine is named as a possible cause. The link to the inequity is asserted "
                    "without records, observation, or testimony, and no competing explanation is weighed."
                ),
                demonstrated=(
                    "At least one policy, routine, or shared expectation within the school's control is examined and "
                    "linked to the inequity by records, observations, or interviews. A competing explanation is "
                    "considered. The choice of the cause to act on is justified."
                ),
                exemplary=(
                    "Several causes within the school's control are examined together, showing how they reinforce each "
                    "other; the leader's own earlier decisions are among them where they belong. Colleagues tried to "
                    "prove the analysis wrong, and the submission reports what changed as a result."
                ),
            ),
            _criterion(
                "changed-practice",
                "Changing practice with colleagues",
                "Carries out, together with colleagues, a change that answers the cause and reaches the students "
                "affected.",
                not_evident=(
                    "A plan, a training session, or a statement of intent is presented, and nothing that students meet in "
                    "school has changed. The leader worked alone or only announced the change to staff."
                ),
                developing=(
                    "A new practice was started with some colleagues. It reached few of the students affected, or was "
                    "carried out so unevenly that one cannot tell what students met. Support for colleagues was a single "
                    "event."
                ),
                demonstrated=(
                    "A practice that answers the cause was carried out with colleagues for at least eight weeks and "
                    "reached the students affected. Artifacts show what became different for students and for adults. "
                    "Colleagues had continuing support, and at least one adjustment was made along the way for a stated "
                    "reason."
                ),
                exemplary=(
                    "The practice was carried out as intended across several classrooms or teams, and evidence of this is "
                    "shown. Colleagues lead parts of it. It has entered a standing structure, such as the schedule, the "
                    "budget, or a written policy, and no longer depends on one person."
                ),
                alignments=(_PSEL_STAFF,),
            ),
            _criterion(
                "student-impact",
                "Showing what changed for students",
                "Follows the effect on the students affected and draws conclusions that the evidence can bear.",
                not_evident=(
                    "No evidence about students is given from the time after the change began. Effects are claimed in "
                    "general terms, or only the satisfaction of adults is reported."
                ),
                developing=(
                    "Evidence about students from before and after the change is given. It is not broken down for the "
                    "students affected, or the two measurements cannot be compared. Conclusions go further than the "
                    "evidence allows."
                ),
                demonstrated=(
                    "The same indicator is reported before and after the change, for the students affected and, beside "
                    "them, for other students, with the numbers of students and the period. The conclusion fits the "
                    "evidence, whether or not the difference became smaller. At least one other explanation is "
                    "considered."
                ),
                exemplary=(
                    "Two or more kinds of evidence, one of them in students' own words, agree on what changed, or their "
                    "disagreement is explained. The indicator is followed at three or more points in time. Unintended "
                    "effects on any group of students were looked for, and what was found is reported."
                ),
                alignments=(_PSEL_CARE,),
            ),
            _criterion(
                "leader-reflection",
                "Reflecting as a leader",
                "Examines the leader's own assumptions and actions and turns what was learned into next steps.",
                not_evident=(
                    "The reflection retells events or praises the result. Nothing is said about the leader's own "
                    "assumptions or actions."
                ),
                developing=(
                    "The reflection names a lesson or a difficulty in general terms. It is not tied to a particular moment "
                    "or decision in the work, and next steps remain broad intentions."
                ),
                demonstrated=(
                    "The reflection examines at least one assumption the leader held, the moment that called it into "
                    "question, and what the leader then did differently. Next steps follow from the evidence and say who "
                    "will act and by when."
                ),
                exemplary=(
                    "The reflection shows, with feedback the leader asked for, how the leader's identity, role, or "
                    "authority shaped what others felt able to say. What did not work is reported as plainly as what did. "
                    "The learning has already been used beyond this work, and an example is given."
                ),
            ),
        ],
        "decision_rule": {"type": "all"},
    },
    "performance_task": {
        "summary": (
            "Lead one change in your own school that answers an inequity you can show, over at least eight weeks, with the "
            "people it concerns. Document it in four parts."
        ),
        "parts": [
            {
                "key": "context",
                "kind": "overview",
                "name": "The inequity and its context",
                "prompt": (
                    "Describe your role and your school without naming it: type, grades, size, and the students it serves. "
                    "Which students experience what differently, and how do you know? Show at least two current sources "
                    "of data, broken down by student group. Whom did you listen to, how, and what did they tell you? "
                    "Which practice of the school do you hold responsible, and which other explanation did you consider?"
                ),
            },
            {
                "key": "practice",
                "kind": "artifact",
                "name": "The changed practice",
                "prompt": (
                    "Provide one to three artifacts that show the practice students now meet and how colleagues were "
                    "supported in it, such as a revised policy, a schedule, a lesson video log, or annotated meeting notes. "
                    "For each, say in a few sentences what it shows, who made it, and what was adjusted along the way and "
                    "why."
                ),
            },
            {
                "key": "reflection",
                "kind": "reflection",
                "name": "Leading for equity",
                "prompt": (
                    "In 600 to 900 words: Which assumption of yours was called into question, by whom or what, and what did "
                    "you do then? How may your role or identity have shaped what people told you? What did not work? What "
                    "happens next, who will do it, and by when?"
                ),
            },
            {
                "key": "impact",
                "kind": "impact",
                "name": "What changed for students",
                "prompt": (
                    "Report one indicator before and after the change, for the students affected and for other students, "
                    "with the number of students and the dates. Add what students themselves say if you can. What does the "
                    "evidence allow you to conclude, what else could explain it, and did anyone fare worse? Report numbers "
                    "only for groups of ten or more."
                ),
            },
        ],
    },
    "required_evidence": [
        {
            "key": "artifact",
            "name": "Artifact of the changed practice",
            "genre": "Artifact",
            "description": "Shows what students and colleagues now do differently. De-identified.",
            "minimum": 1,
        },
        {
            "key": "reflection",
            "name": "Leadership reflection",
            "genre": "Reflection",
            "description": "Written, or recorded with a transcript; 600 to 900 words.",
            "minimum": 1,
        },
        {
            "key": "impact",
            "name": "Evidence of impact on students",
            "genre": "Impact",
            "description": "The same indicator before and after the change, broken down by student group.",
            "minimum": 1,
        },
    ],
    "settings": _SETTINGS,
}


IMPROVEMENT_SCIENCE: dict[str, Any] = {
    "external_id": "sila-improvement-science",
    "name": "Applying Improvement Science",
    "description": (
        "The holder worked with a team on a specific problem of practice in their own school: saw the system that produces "
        "it, stated a theory of improvement, tested changes in linked cycles, measured as they went, and passed on what "
        "the team learned."
    ),
    "achievement_type": "MicroCredential",
    "criteria": {
        "narrative": "\n\n".join(
            (
                "**What you show.** You and a team take on one problem of practice in your school. You find out how the "
                "system produces it, say what you think will improve it and why, and test that thinking in small linked "
                "cycles. You measure often enough to learn from each test, and you end with what should be kept, changed, "
                "or dropped. A test that fails counts as much as one that succeeds if you learned from it.",
                "**How it is judged.** Two or three certified assessors read your submission without knowing your name. "
                "They judge each of the six criteria against its four level descriptions and give a reason for every "
                "level. You earn the micro-credential when all criteria are at Demonstrated or above; one of them may be "
                "at *Developing*. That exception never applies to *Testing changes in cycles* or *Measuring to learn*, "
                "because without these two there is no improvement science.",
                "**Evidence.** Submit the portfolio of your improvement work, with dated records of every cycle, and a "
                "reflection. Add artifacts or impact data if they help an assessor see what you saw. The work must be from "
                "the last two years. Teams may share records; the reflection is yours alone. Say who did what and where "
                "you used AI tools. Remove students' names, faces, and anything else that could identify them, and report "
                "numbers only for groups of ten or more.",
                "**If it is not there yet.** You receive the level and the reason for every criterion. Revise what fell "
                "short, run another cycle if you need one, and submit again when you are ready; what you have already "
                "demonstrated stands. Other assessors read the revision where possible, and they do not see the earlier "
                "levels. There is no limit on attempts. After the third, a coach meets with you first.",
            )
        )
    },
    "tags": ["improvement science", "school improvement", "PDSA cycles", "practical measurement", "team learning"],
    "in_language": "en",
    "field_of_study": "Educational leadership",
    "specialization": "Continuous improvement",
    "human_code": "SILA-IS",
    "image_caption": "Badge of the micro-credential Applying Improvement Science",
    "creator": ACADEMY,
    "alignments": [_PSEL_IMPROVEMENT, _PSEL_STAFF, _CARNEGIE],
    "rubric": {
        "criteria": [
            _criterion(
                "problem-of-practice",
                "Defining a problem of practice",
                "States a problem that people in the school experience, specific enough to act on within a year.",
                not_evident=(
                    "A topic or a ready-made solution, such as a program to adopt, stands in place of a problem. It is not "
                    "clear who experiences the problem or how often."
                ),
                developing=(
                    "A problem is named and some data are shown. It is too broad for a team to act on within a school year, "
                    "or it is described only from the point of view of those in charge."
                ),
                demonstrated=(
                    "The problem says what happens, to whom, where, and how often, with baseline data from this school. "
                    "People who experience it were observed or interviewed, and their view is reported. It lies within the "
                    "team's reach."
                ),
                exemplary=(
                    "Seeing the work from its users' side led the team to restate the problem, and both versions are shown "
                    "with the reason for the change. Variation is examined: where or for whom the problem is smaller, and "
                    "what this suggests."
                ),
                alignments=(_CARNEGIE,),
            ),
            _criterion(
                "system-analysis",
                "Seeing the system",
                "Finds out how the school, as it works today, produces the problem.",
                not_evident=(
                    "One cause is assumed, or causes are guessed at. There is no process map, cause-and-effect diagram, or "
                    "other picture of the system."
                ),
                developing=(
                    "A process map or cause-and-effect diagram is shown. It was filled in by one or two people, or it "
                    "repeats what is commonly said about the problem. Few of its causes are checked against evidence."
                ),
                demonstrated=(
                    "The team made a picture of the system, such as a process map or cause-and-effect diagram, with people "
                    "who do the work. Its main causes are supported by evidence collected for this purpose. The cause to "
                    "work on first is chosen for a stated reason."
                ),
                exemplary=(
                    "Two or more ways of looking at the system are combined, and together they revealed a cause the team had "
                    "not named at the start. How schedules, rules, or incentives hold the problem in place is shown. The "
                    "analysis was revised at least once as tests taught the team more."
                ),
            ),
            _criterion(
                "theory-of-improvement",
                "Stating a theory of improvement",
                "Says what will improve, by how much, and why the chosen changes should bring it about.",
                not_evident=(
                    "There is no aim, or the aim cannot be measured. How the activities should lead to results is not "
                    "explained."
                ),
                developing=(
                    "An aim is stated but lacks a number, a group, or a date. Changes are listed beside it, and the reasoning "
                    "from the changes to the aim has gaps."
                ),
                demonstrated=(
                    "The aim says what will improve, for whom, by how much, and by when. A driver diagram or a written chain "
                    "of reasoning ties each change idea to a driver and each driver to the aim. Evidence could prove it "
                    "wrong."
                ),
                exemplary=(
                    "The theory draws on research or another school's practice as well as local knowledge, and it says which "
                    "links are least certain. The first tests were chosen to examine those links. Dated versions show how "
                    "it was altered by what the team learned."
                ),
            ),
            _criterion(
                "test-cycles",
                "Testing changes in cycles",
                "Tests changes on a small scale in linked plan-do-study-act cycles and decides from what they show.",
                not_evident=(
                    "A change was put in place all at once without a test. There is no record of a plan, a prediction, or a "
                    "result."
                ),
                developing=(
                    "One cycle is recorded, or several that do not build on each other. Predictions are missing or so loose "
                    "that any result would confirm them. The decision at the end does not follow from the data."
                ),
                demonstrated=(
                    "At least three linked cycles are recorded. Each has a question, a prediction made in advance, data, and a "
                    "comparison of the two. Each ends in a decision to adopt, adapt, or abandon, which the next cycle "
                    "carries out."
                ),
                exemplary=(
                    "The cycles grow on purpose, from one classroom or person to varied conditions, and why each step was "
                    "warranted is explained. At least one prediction failed, and the failure was used to revise the theory. "
                    "The records are complete enough for another school to repeat the tests."
                ),
                alignments=(_PSEL_IMPROVEMENT,),
            ),
            _criterion(
                "measurement",
                "Measuring to learn",
                "Collects data often enough, and reads it carefully enough, to know whether a change is an improvement.",
                not_evident=(
                    "Only year-end results or impressions are offered. They cannot show whether a test made a difference."
                ),
                developing=(
                    "A measure is collected more than once, but it is not tied to the change or comes too seldom to guide the "
                    "tests. Data are listed without a display over time or without a definition of what was counted."
                ),
                demonstrated=(
                    "An outcome measure, a process measure, and a balancing measure are defined and tied to the theory. Data "
                    "guide the tests and are shown over time, with the changes marked, on a run chart or similar display. "
                    "The reading of it tells a signal from ordinary variation."
                ),
                exemplary=(
                    "The measures are brief enough to belong to daily work, and their quality was checked, for example by two "
                    "people counting the same thing. Data are broken down to see whether the change works for every group "
                    "of students. The team changed or dropped a measure because of what it learned."
                ),
                alignments=(_CARNEGIE,),
            ),
            _criterion(
                "collective-learning",
                "Learning as a team and passing it on",
                "Makes sense of the work with a team and sees that the learning outlasts the project.",
                not_evident=(
                    "One person did the work, and others were told the results. The reflection retells what was done."
                ),
                developing=(
                    "A team met, but its notes show reports and assignments more than shared interpretation of data. Lessons "
                    "are general, and what becomes of them after the project is left open."
                ),
                demonstrated=(
                    "A team of people in different roles, among them those who carry out the change, interpreted the data "
                    "together, and notes show how members' views altered decisions. The reflection names what team and "
                    "leader learned, failures included. A plan says what will be kept, spread, or dropped, by whom, and "
                    "when."
                ),
                exemplary=(
                    "Team members lead parts of the work and explain its theory in their own words. Another team or school "
                    "tried the change in its own conditions, and what happened there is reported. A standing routine for "
                    "improvement continues beyond this problem."
                ),
                alignments=(_PSEL_STAFF,),
            ),
        ],
        "decision_rule": {"type": "all_but", "exceptions": 1, "mandatory": ["test-cycles", "measurement"]},
    },
    "performance_task": {
        "summary": (
            "With a team of at least three people in different roles, carry out an improvement project on a problem of "
            "practice in your school through three or more linked test cycles. Document it in four parts."
        ),
        "parts": [
            {
                "key": "problem",
                "kind": "overview",
                "name": "The problem, the system, and the theory",
                "prompt": (
                    "Describe your role, your team, and your school without naming it. State the problem with baseline data: "
                    "what happens, to whom, where, and how often? What did you learn from those who experience it? Show your "
                    "picture of the system and the evidence behind its main causes. State your aim, and show how each change "
                    "idea should lead to it."
                ),
            },
            {
                "key": "cycles",
                "kind": "artifact",
                "name": "The record of cycles",
                "prompt": (
                    "Provide the dated record of at least three linked plan-do-study-act cycles. For each: the question, the "
                    "prediction written down beforehand, what was done, the data, how they compare with the prediction, and "
                    "the decision that led to the next cycle. Include the forms or tools you used."
                ),
            },
            {
                "key": "results",
                "kind": "impact",
                "name": "The measures over time",
                "prompt": (
                    "Show your outcome, process, and balancing measures over time and mark when changes were made. Define "
                    "what was counted, by whom, and how often. What is a signal, what may be ordinary variation, and for "
                    "which students did the change work less well? Report numbers only for groups of ten or more."
                ),
            },
            {
                "key": "reflection",
                "kind": "reflection",
                "name": "What the team learned",
                "prompt": (
                    "In 600 to 900 words: Which prediction turned out wrong, and what did it teach you? Where did a team "
                    "member change your mind? How has your leadership changed? What will be kept, spread, or dropped, by whom, "
                    "and when? The reflection must be your own, also when the project was shared."
                ),
            },
        ],
    },
    "required_evidence": [
        {
            "key": "portfolio",
            "name": "Improvement portfolio",
            "genre": "Performance task",
            "description": "Problem, system, theory, dated records of at least three cycles, and measures over time.",
            "minimum": 1,
        },
        {
            "key": "reflection",
            "name": "Reflection on team and leadership learning",
            "genre": "Reflection",
            "description": "Written, or recorded with a transcript; 600 to 900 words. Individual, also for team projects.",
            "minimum": 1,
        },
    ],
    "settings": _SETTINGS,
}


ACHIEVEMENTS: dict[str, dict[str, Any]] = {"equity": EQUITABLE_PRACTICES, "improvement": IMPROVEMENT_SCIENCE}
"""The short key that `app.demo.decisions` uses -> body of POST /v1/achievements."""

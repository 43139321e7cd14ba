"""What assessors write: per criterion and level, observations and judgments that join into a rationale.

Any observation of a family goes with any judgment of the same family. Slots in braces are filled from a case
(`app.demo.cases`) and from the fellow's figures `before`, `after`, and `n`. Texts below the passing level say what to do
next.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """The texts of one criterion at one level."""

    observations: tuple[str, ...]
    judgments: tuple[str, ...]

    def variants(self) -> list[str]:
        """Every rationale of the family, slots unfilled: each judgment meets each observation before it meets it again."""
        count = len(self.judgments)
        return [
            f"{observation} {self.judgments[(row + turn) % count]}"
            for turn in range(count)
            for row, observation in enumerate(self.observations)
        ]


_EQUITY = {
    "identify-inequity": {
        "not-evident": Family(
            (
                "The concern is put as low achievement in general, and we do not learn which students experience what.",
                "The introduction mentions {group}, but no data about them follow.",
                "The tables give averages for the whole school and stop there.",
            ),
            (
                "Please state one inequity and break the data down by student group.",
                "As it stands, a reader cannot tell which difference the work is meant to answer.",
            ),
        ),
        "developing": Family(
            (
                "The submission names {group} and shows one table on {focus}.",
                "A gap in {focus} is described, with figures that are three years old and cover the whole district.",
                "We found a single source on {focus}, and only part of it is broken down by student group.",
            ),
            (
                "A second, current source from this school is needed.",
                "The wording also explains the gap by what students lack; please turn it toward what the school provides.",
                "This does not yet show that the difference exists here and now.",
            ),
        ),
        "demonstrated": Family(
            (
                "The submission names {focus} as the inequity and says how {group} are affected.",
                "Data from {sources} show the difference for {group} in this school and this year.",
                "We can see who is affected and by how much: {measure} stood at {before} when the work began.",
                "The case for acting on {focus} rests on {sources}, all broken down by student group.",
            ),
            (
                "The difference is described as something the school can change.",
                "Nothing in the wording places the fault with students or families.",
                "More than one current source points the same way, which is what this level asks for.",
            ),
        ),
        "exemplary": Family(
            (
                "Besides {sources}, the leader asked students directly and sets their answers next to the records.",
                "The gap in {focus} is traced to a particular point in the school week and to the year it first appears.",
                "The leader reads {sources} together with students’ own accounts and discusses where the pattern fails.",
                "The analysis of {focus} looks at {group} by grade and program instead of treating them as one.",
            ),
            (
                "The limits of the data, small groups among them, are stated openly.",
                "Exceptions sharpen the question instead of being set aside.",
                "Every figure can be checked against the tables supplied.",
            ),
        ),
    },
    "affected-voices": {
        "not-evident": Family(
            (
                "All decisions about {focus} were made by the administrative team.",
                "Families received a letter about the change; there is no sign that anyone asked them.",
                "For {group}, the submission has counts but not one sentence they said or wrote.",
            ),
            (
                "Please find out from those affected how they see it, and let it bear on the work.",
                "Listening has to come before the change, not after it.",
            ),
        ),
        "developing": Family(
            (
                "A survey with fixed answers went to all families, and few of those of {group} replied.",
                "The leader spoke with four students, none of whom are among {group}.",
                "Views on {focus} were collected at one evening meeting held in English.",
            ),
            (
                "The summary is fair, but we could not find a decision that it changed.",
                "A form that suits the people most affected would bring out more.",
                "Please show what was said in their own words and what followed from it.",
            ),
        ),
        "demonstrated": Family(
            (
                "The leader listened through {voices}, and quotations let us hear what was said.",
                "For {group}, the form was well chosen: {voices}.",
                "Notes from {voices} are summarized without smoothing over the criticism.",
                "Those affected were asked about {focus} before a solution was chosen.",
            ),
            (
                "The timing of the change follows directly from what students said.",
                "One planned step was dropped because families objected to it.",
                "At least one decision can be followed back to a particular remark.",
            ),
        ),
        "exemplary": Family(
            (
                "What began as {voices} became a group that met again twice to judge the change.",
                "The first description of the problem was rewritten with {group} after {voices}.",
                "Staff had expected a different complaint; after {voices} the leader shows both views side by side.",
                "The people heard at the start came back at the end and said plainly what had not improved.",
            ),
            (
                "Where views differed, how this was settled is documented, and participants were told the outcome.",
                "Their influence on the work is visible at three separate points.",
                "The report back to participants, in their language, is among the evidence.",
            ),
        ),
    },
    "school-causes": {
        "not-evident": Family(
            (
                "The causes named are family circumstances and motivation, all outside the school.",
                "The submission moves from the data on {focus} straight to a solution.",
                "No policy, routine, or habit of the school is looked at.",
            ),
            (
                "Please examine at least one practice of the school that may keep the gap in place.",
                "Without a cause within the school’s control, the choice of the change cannot be judged.",
            ),
        ),
        "developing": Family(
            (
                "The submission points to {cause}, but offers no record or observation that ties it to the gap.",
                "A likely cause is named, {cause}, and then taken for granted.",
                "Staff agreed in one meeting that the cause was {cause_in_full}.",
            ),
            (
                "Please test the link and consider at least one other explanation.",
                "Agreement among staff is a start, not evidence.",
                "A few interviews or a sample of files would show whether it holds.",
            ),
        ),
        "demonstrated": Family(
            (
                "Records and interviews support the link to {cause_in_full}.",
                "A review of files shows how {cause} worked against {group}.",
                "Two causes were compared before the leader settled on {cause_in_full}.",
                "The chain from {cause} to {focus} is laid out step by step.",
            ),
            (
                "A competing explanation is taken seriously and set aside for a stated reason.",
                "The cause lies within the school’s control, and why it was chosen is clear.",
                "Observation bears out what the documents suggest.",
            ),
        ),
        "exemplary": Family(
            (
                "The submission shows how {cause} and two other routines reinforce each other.",
                "The leader had signed off on the practice in question, {cause}, and says so.",
                "Colleagues were invited to argue against the analysis, and their best objection is reported.",
                "Records, observations, and testimony are combined to show where {cause} came from.",
            ),
            (
                "It was revised when challenged, and both versions are shown.",
                "We rarely see a school’s own part examined this calmly.",
                "It explains not only the gap but also the places where there is none.",
            ),
        ),
    },
    "changed-practice": {
        "not-evident": Family(
            (
                "The evidence is a slide deck from one training day; nothing students meet has changed yet.",
                "The plan for {practice} is promising, but it had not begun when the submission was made.",
                "Staff were told about the change by e-mail.",
            ),
            (
                "Please carry the change out with colleagues for at least eight weeks before you submit again.",
                "This criterion is about a practice students can notice, so a plan cannot meet it.",
            ),
        ),
        "developing": Family(
            (
                "In its first weeks {practice} reached a few students and hardly any of {group}.",
                "The change, {practice}, started late and stopped twice.",
                "One training session prepared colleagues for {practice}, with nothing after it.",
            ),
            (
                "We could not tell from the artifacts what students actually met.",
                "Please document the eight weeks and the support colleagues received.",
                "Extending it to the students most affected is the next step.",
            ),
        ),
        "demonstrated": Family(
            (
                "Artifacts from more than eight weeks show the new practice at work: {practice_in_full}.",
                "The change reached {group} and is concrete: {practice_in_full}.",
                "Meeting notes show how colleagues were supported while they took up {practice}.",
                "Before and after are easy to compare: {cause} gave way to {practice_in_full}.",
            ),
            (
                "An adjustment in the fourth week is explained and sensible.",
                "Colleagues had regular time to plan and to ask for help.",
                "It answers the cause that the leader had identified.",
            ),
        ),
        "exemplary": Family(
            (
                "By the end of the period, {practice} had spread to every team in the grade band.",
                "Walk-through notes by colleagues show that {practice} is carried out as intended.",
                "Two teachers now lead the work on {practice}, and the leader attends as a member.",
                "The change was written into next year’s schedule and budget: {practice_in_full}.",
            ),
            (
                "It would go on if the leader left tomorrow.",
                "Where it was uneven at first, the submission shows how this was noticed and mended.",
                "The ownership by colleagues is evident in documents they wrote themselves.",
            ),
        ),
    },
    "student-impact": {
        "not-evident": Family(
            (
                "The only results reported are from a staff survey.",
                "We are told that students benefited, without any evidence from the time after the change.",
                "The impact section describes hopes for next year.",
            ),
            (
                "Please report one indicator for {group} before and after.",
                "Effects on students have to be shown, even if they are small.",
            ),
        ),
        "developing": Family(
            (
                "Figures from before and after are given for the whole school, not for {group}.",
                "The first count covers a full year and the second only five weeks, so they cannot be compared.",
                "The submission reports {measure} after the change, but the baseline was counted in another way.",
            ),
            (
                "Please use the same indicator and period, and set other students beside them.",
                "The claim of lasting success goes further than these data allow.",
                "Numbers of students are missing and should be stated.",
            ),
        ),
        "demonstrated": Family(
            (
                "Over the period, {measure} went from {before} to {after}.",
                "For {n} students, {measure} is reported before ({before}) and after ({after}) the change.",
                "The same indicator is used throughout, {measure}, and other students’ figures stand beside it.",
                "The comparison is sound: {measure} was counted the same way both times, at {before} and then {after}.",
            ),
            (
                "The conclusion is careful and names one other possible explanation.",
                "The leader does not claim more than the data show.",
                "The number of students and the dates are given.",
            ),
        ),
        "exemplary": Family(
            (
                "Three points in time, from {before} to {after}, are set next to students’ own accounts.",
                "Students’ comments explain why {measure} moved from {before} to {after} and where it did not.",
                "The leader followed {n} students throughout, and {measure} ended at {after} after {before}.",
                "Numbers and interviews disagree for one grade, and the submission explores why.",
            ),
            (
                "Effects on other groups were looked for, and one unwelcome effect is reported.",
                "It is a model of saying what is known and what is not.",
                "The leader looked for harm as carefully as for success.",
            ),
        ),
    },
    "leader-reflection": {
        "not-evident": Family(
            (
                "The reflection is a timeline of meetings.",
                "The text thanks the team and praises the outcome.",
                "The reflection speaks about teachers’ attitudes and not about the leader’s own.",
            ),
            (
                "Please examine an assumption of your own and what became of it.",
                "We learn what happened, not what the leader learned.",
            ),
        ),
        "developing": Family(
            (
                "The reflection concludes that communication matters, without a moment that taught it.",
                "A difficulty with staff is mentioned, but what the leader thought or did then is left open.",
                "Next steps on {focus} are named as intentions, without dates or people.",
            ),
            (
                "Please choose one moment and say what you assumed before and after it.",
                "Tying the lesson to a decision would lift it to the next level.",
                "Say who will do what, and by when.",
            ),
        ),
        "demonstrated": Family(
            (
                "The leader had seen nothing wrong with {cause} and describes the conversation that changed this.",
                "A remark made during {voices} is shown to have unsettled an earlier conviction.",
                "The reflection returns to the week in which {practice} nearly failed and asks why.",
                "The leader tells how a habit of deciding alone came to light in the work on {focus}.",
            ),
            (
                "Next steps follow from the evidence, with names of roles and dates.",
                "The account is specific and does not flatter its author.",
                "What was done differently afterward is stated and can be checked.",
            ),
        ),
        "exemplary": Family(
            (
                "The leader asked three colleagues how safe it had been to disagree about {focus} and quotes the answers.",
                "The reflection considers how the leader’s position shaped what people said during {voices}.",
                "Failures in the first attempt at {practice} are told as plainly as later success.",
                "The leader shows how the same way of listening has since been used in budget planning.",
            ),
            (
                "The learning has clearly outgrown this one project.",
                "Feedback that must have been hard to hear is put to use.",
                "It is honest about power, which is rare and valuable.",
            ),
        ),
    },
}

_IMPROVEMENT = {
    "problem-of-practice": {
        "not-evident": Family(
            (
                "The submission begins with a program to adopt, and the problem it should solve is not stated.",
                "A topic is named, but not who experiences a problem or how often.",
                "The opening section describes a solution in detail and the difficulty in half a sentence.",
            ),
            (
                "Please describe what happens, to whom, and where, before turning to remedies.",
                "Baseline data from the school would give the work its starting point.",
            ),
        ),
        "developing": Family(
            (
                "The problem ({focus}) is named, and only the view of administrators is given.",
                "Some figures are shown, but the problem as stated takes in the whole school and several years.",
                "The submission describes {focus} without asking {users}.",
            ),
            (
                "A narrower statement would let a team act within the year.",
                "Please add what those who experience it see.",
                "It is not yet clear where and when the problem is greatest.",
            ),
        ),
        "demonstrated": Family(
            (
                "The problem is specific ({focus}), with a baseline of {before}.",
                "The team reports, in their own words, what it heard from {users}.",
                "We learn what happens, to whom, and how often: {measure} stood at {before}.",
                "A shadowing record of {users} gives the problem a human side.",
            ),
            (
                "It is small enough to be worked on within a year.",
                "It lies within the team’s reach.",
                "The baseline comes from this school and is clearly defined.",
            ),
        ),
        "exemplary": Family(
            (
                "After interviews with {users}, the team rewrote its problem statement and shows both versions.",
                "The team looked for places where the problem is smaller and found two classrooms to learn from.",
                "The first statement blamed a lack of effort; the last one, after talks with {users}, describes a process.",
                "The data are broken down by grade, room, and weekday before the problem is stated.",
            ),
            (
                "The difference between the two versions is itself a finding.",
                "The variation is used well and points directly to the first change idea.",
                "The users’ view carries real weight in the final wording.",
            ),
        ),
    },
    "system-analysis": {
        "not-evident": Family(
            (
                "One cause is assumed from the first page on.",
                "There is no map or diagram of how the problem comes about.",
                "Causes are listed as opinions of the author.",
            ),
            (
                "Please draw the process with people who work in it and check what they tell you.",
                "Without a picture of the system, the change remains a guess.",
            ),
        ),
        "developing": Family(
            (
                "The cause-and-effect diagram was filled in by the leader alone.",
                "The diagram collects familiar complaints about {focus} and checks none of them.",
                "A process map is included, but it shows how things should run, not how they do.",
            ),
            (
                "Please involve people who do the work and gather evidence on two or three causes.",
                "It names {cause} among many others without saying why it comes first.",
                "One observation of the real process would change this picture.",
            ),
        ),
        "demonstrated": Family(
            (
                "The {team} mapped the process with people who do the work and arrived at {cause_in_full}.",
                "The cause-and-effect diagram is backed by a short count, which singles out {cause_in_full}.",
                "Interviews and a process map together support the choice of {cause_in_full}.",
                "The map shows the steps as they are, including the point that matters here: {cause_in_full}.",
            ),
            (
                "Why this cause comes first is stated and convincing.",
                "The evidence was gathered for this purpose and fits the diagram.",
                "Several roles took part, and their additions can be seen.",
            ),
        ),
        "exemplary": Family(
            (
                "A process map and an interview study were combined and revealed {cause}, which nobody had named.",
                "The {team} shows how the master schedule itself keeps the problem in place.",
                "The diagram was redrawn after the second cycle, and the changes are dated.",
                "Staff, students, and families each drew the process, and the three maps are compared.",
            ),
            (
                "The surprise is documented and changed the course of the project.",
                "The analysis makes visible how reasonable decisions add up to the problem.",
                "It was kept alive and revised through the project.",
            ),
        ),
    },
    "theory-of-improvement": {
        "not-evident": Family(
            (
                "There is no aim that could be measured.",
                "Activities are listed, and how they should lead to a result is not said.",
                "The stated goal is to raise awareness.",
            ),
            (
                "Please write an aim with a number, a group, and a date.",
                "A simple chain from change to result would be enough to begin with.",
            ),
        ),
        "developing": Family(
            (
                "The aim is to improve {measure}, without a target or date.",
                "A driver diagram is included, but it does not connect {change} to any driver.",
                "The aim has a date and no number, and the change ideas stand beside it.",
            ),
            (
                "Please say by how much, and by when.",
                "The reasoning from the change to the aim needs to be written out.",
                "It is hard to imagine evidence that would prove this theory wrong.",
            ),
        ),
        "demonstrated": Family(
            (
                "The aim is measurable: to raise {measure} from {before} within the school year.",
                "The driver diagram ties {change} to its driver and the driver to the aim.",
                "A written chain of reasoning leads from {cause} to {change_in_full}.",
                "Group, amount, and date are all in the aim, and {measure} is defined.",
            ),
            (
                "The theory is stated so that evidence could contradict it.",
                "Each change idea has its place in it.",
                "The reasoning is plain enough for a colleague to challenge.",
            ),
        ),
        "exemplary": Family(
            (
                "The theory brings together two studies, a visit to another school, and interviews with {users}.",
                "The leader marks the link from {change} to the aim as the least certain and tests it first.",
                "Four dated versions show how the theory changed with the evidence.",
                "Each link in the diagram is rated by how sure the {team} is of it.",
            ),
            (
                "The order of the tests follows from that, which is exactly right.",
                "What was given up along the way is kept on record.",
                "The theory is used as a tool for learning and not as decoration.",
            ),
        ),
    },
    "test-cycles": {
        "not-evident": Family(
            (
                "The change was introduced in all classrooms on the same day.",
                "There is a description of the activity, but no plan, prediction, or result.",
                "The school adopted {change} for the whole year without a test.",
            ),
            (
                "Please run at least three linked cycles, and begin with one person or one room.",
                "A written prediction before each test is what makes it a test.",
            ),
        ),
        "developing": Family(
            (
                "One cycle on {change} is recorded, and it ends with a wish to continue.",
                "Three tests are described, but each begins anew instead of building on the one before.",
                "The prediction that {change} would help is too loose to be wrong.",
            ),
            (
                "Please let each decision follow from the data and carry it into the next cycle.",
                "Predictions should be written down in advance, with a number where possible.",
                "Two further linked cycles would meet this criterion.",
            ),
        ),
        "demonstrated": Family(
            (
                "Three linked cycles on {change} are recorded, each with a prediction made beforehand.",
                "Four cycles on {change} are documented, and the comparison of prediction and result is made each time.",
                "The first test of {change} involved one colleague, and the second took up what it showed.",
                "The records give question, prediction, data, and decision for every cycle of {change}.",
            ),
            (
                "Each cycle ends with a decision to adopt, adapt, or abandon.",
                "The next cycle visibly carries out what the last one decided.",
                "Dates confirm that the predictions came first.",
            ),
        ),
        "exemplary": Family(
            (
                "Five cycles take {change} from one classroom to three quite different ones.",
                "The second prediction failed, and the {team} shows how this changed its theory.",
                "Why each larger test was warranted is explained before it begins.",
                "The cycle forms for {change} are complete down to the script and the tally sheet.",
            ),
            (
                "Another school could repeat these tests from the records alone.",
                "The growth in scale is deliberate and well argued.",
                "A test that failed is the most instructive part of the submission.",
            ),
        ),
    },
    "measurement": {
        "not-evident": Family(
            (
                "Only the state results at the end of the year are reported.",
                "The submission relies on the impression that things went better.",
                "The single figure given was collected before the work began.",
            ),
            (
                "Please choose measures that can be taken weekly and tied to the change.",
                "With these data, nobody can say whether a test made a difference.",
            ),
        ),
        "developing": Family(
            (
                "The outcome, {measure}, was counted twice, which is too seldom to guide the tests.",
                "Weekly numbers are listed in a table without a display over time.",
                "The process was followed through {signal}, but what counts as one is not defined.",
            ),
            (
                "Please add a run chart and mark when each change was made.",
                "A balancing measure is missing.",
                "It remains unclear which of the ups and downs mean anything.",
            ),
        ),
        "demonstrated": Family(
            (
                "Outcome, process, and balancing measures are defined, the process one being {signal}.",
                "The run chart shows {measure} moving from {before} to {after}, with the changes marked.",
                "With {signal} the {team} could judge each test, and {balance} served as the balancing measure.",
                "Data are displayed week by week against clear definitions, and {measure} reached {after}.",
            ),
            (
                "The reading of the chart tells a signal from ordinary variation.",
                "What was counted, by whom, and how often is stated.",
                "The measures follow from the theory and were used to decide.",
            ),
        ),
        "exemplary": Family(
            (
                "Two people counted the same week to check {signal}, and the agreement is reported.",
                "The chart for {measure}, which rose from {before} to {after}, is repeated for each student group.",
                "The first process measure was dropped after three weeks in favor of {signal}, and the reason is given.",
                "Collecting {signal} takes two minutes, so the {team} never missed a week.",
            ),
            (
                "The submission shows where the change works less well, and follows it up.",
                "The watch kept on {balance} led to a real adjustment.",
                "These measures could be taken over by others tomorrow.",
            ),
        ),
    },
    "collective-learning": {
        "not-evident": Family(
            (
                "The project appears to be the work of one person.",
                "Results were presented to the staff at the end, and that is all we learn of others.",
                "The reflection retells the steps of the project.",
            ),
            (
                "Please show how a team read the data together and what it learned.",
                "Say what should be kept or dropped, and who will see to it.",
            ),
        ),
        "developing": Family(
            (
                "The {team} met six times, but its notes record tasks and not what the data meant.",
                "Lessons from {change} are given in general terms.",
                "The people who carry out {change} were not at the meetings where it was discussed.",
            ),
            (
                "Please show one decision that changed because of what a member said.",
                "What becomes of the work after the project is left open.",
                "A plan with names of roles and dates is still needed.",
            ),
        ),
        "demonstrated": Family(
            (
                "Notes of the {team} show members reading the charts together and disagreeing usefully.",
                "The {team} includes those who carry out {change}, and one of them altered the third cycle.",
                "The reflection names what the team learned about {focus}, the failed idea included.",
                "A plan says how {change} will go on, who will see to it, and from when.",
            ),
            (
                "Team learning and the leader’s own learning are both described.",
                "The plan for what comes next is specific.",
                "We can see decisions change because of what members said.",
            ),
        ),
        "exemplary": Family(
            (
                "A second school tried {change} under its own conditions, and its results are included.",
                "Members of the {team} explain the theory in their own words in the recorded meeting.",
                "The {team} has become a standing group with a new problem on its agenda.",
                "Two members led cycles of {change} on their own and wrote the records.",
            ),
            (
                "What did not transfer is reported as carefully as what did.",
                "The routine has outlived the project that created it.",
                "Leadership of the work is shared in fact and not only in name.",
            ),
        ),
    },
}

RATIONALES: dict[str, dict[str, dict[str, Family]]] = {"equity": _EQUITY, "improvement": _IMPROVEMENT}
"""Achievement key -> criterion key -> level key -> family."""

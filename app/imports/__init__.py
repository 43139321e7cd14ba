"""Taking over what was there before: earlier awards, rosters and achievements, from files.

    reading     a file to rows, each with its line and what is wrong with it
    mapping     a row's columns to our fields, as the partner's mapping file says
    run         row after row, each in a transaction of its own; or a dry run, of which nothing is kept
    awards      an earlier award becomes a decision of an external source, and that a badge
    rosters     a person becomes a learner, or completes one
    achievements    a definition becomes a draft, and is published on request
    report      what became of each row, also as CSV that no spreadsheet executes

An import may be killed anywhere and run again: what is there is found again, what was begun is finished, nothing is made twice.
"""

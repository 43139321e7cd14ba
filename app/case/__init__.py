"""Competencies and Academic Standards Exchange (CASE), 1EdTech. PURE.

A competency framework travels as one document, the CFPackage: its CFDocument, its statements (CFItems), how they hang together
(CFAssociations), the vocabulary they use (CFDefinitions) and rubrics (CFRubrics). `classes.py` is the information model as data,
`read.py` takes a package of CASE 1.0 or 1.1 as publishers write it and gives the same as CASE 1.1, `package.py` looks things up
in one that was read, and composes what the REST binding serves one by one.
Spec: CASE 1.1, information model and REST binding. Rejected: a class in Python for every class of CASE, since nothing here
computes with most members: they come, are checked and leave.
"""

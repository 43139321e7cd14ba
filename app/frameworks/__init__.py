"""Competency frameworks of partners: CASE packages as they were sent, and what alignments may name in them.

A framework is known by the GUID of its CFDocument. Each import that changes it is a version, whose CFPackage is kept to the
byte and never changes; criteria point at statements by GUID, so a new version takes nothing from them. Beside the newest
package stands an index of its statements, rubrics, criteria and levels, for looking them up.
Rejected: a table for every class of CASE, and editing frameworks here: they are made with their owners' tools.
"""

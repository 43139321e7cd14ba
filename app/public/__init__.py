"""What the world may see without a token: badges, achievements, panels, issuers, keys and status lists, as data and as pages.

`documents.py` answers with JSON-LD or, to a browser, with HTML; `negotiate.py` decides by the Accept header; `pages.py` renders.
Every page takes an explicit view: no identity hash, salt or e-mail address can get into HTML by accident.
"""

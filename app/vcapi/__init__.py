"""The W3C VC-API (VCALM) at the root: issue, derive, verify, status, presentations, challenges, for generic tools.

    router.py, bodies.py       the routes · what is asked and answered
    options.py                 which options a request may have
    store.py, settings.py      what was issued, sealed under a key of its own · how an API client issues
    lint.py                    may this client sign this document
    issue.py                   intent > sign > release, in two transactions; burn.py: an intent whose process died
    stored.py                  fetch and delete what was issued; status.py: its status entry
    present.py                 presentations of our own
    challenges.py              single use, expiring
    verify.py                  parse, gather, judge; judging.py PURE, judge.py its killable process; problems.py: what it answers

The issuer is never the request's choice: it is the API client's, with the settings of the client.
"""

"""DmpConnect-JS as its wrapper shows it (sources#local-services): one JSON a WebSocket, or HTTPS ``/api/<command>``.

Known: names of commands and fields, prefixes by type, statuses and error types, the session's inactivity, the pushes of
monitoring. Not public: the table of error codes, and ``hl_updateCpxAuthenticationToken``, whose contract is ours.
"""

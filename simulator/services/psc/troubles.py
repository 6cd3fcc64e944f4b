"""The faults that the provider can suffer, by the ids of their rows."""

from __future__ import annotations

UNAVAILABLE = "psc-unavailable"
BAD_GATEWAY = "psc-bad-gateway"
TIME_OUT = "psc-time-out"
REDIRECT_REFUSED = "psc-redirect-refused"
ACR_OTHER = "psc-acr-other"
TOKEN_REFUSED = "psc-token-refused"  # noqa: S105 - the name of a fault
REFRESH_REFUSED = "psc-refresh-refused"
CODE_REFUSED = "psc-code-refused"
UNKNOWN_USER = "psc-unknown-user"
USER_REFUSES = "psc-user-refuses"
USER_SILENT = "psc-user-silent"
SLOW_DOWN = "psc-slow-down"
SESSION_LOST = "psc-session-lost"
SHORT_PROFILE = "psc-short-profile"
OTHER_USER = "psc-other-user"
KEYS_ROTATED = "psc-keys-rotated"
STATE_LOST = "psc-state-lost"
LOGOUT_WITHOUT_STATE = "psc-logout-without-state"
SUBJECT_CHANGED = "psc-subject-changed"
CLIENT_REFUSED = "psc-client-refused"

TROUBLES = frozenset(value for name, value in list(globals().items()) if name.isupper() and isinstance(value, str))
DOWN = {UNAVAILABLE: 503, BAD_GATEWAY: 502, TIME_OUT: 504}
"""Those that strike every request, and the status that is answered."""

"""In which ways a request can be broken: words alone."""

from __future__ import annotations

from enum import StrEnum


class Forged(StrEnum):
    """What is wrong. ``wrapped-1`` to ``wrapped-8``: the classic forms of signature wrapping."""

    NOTHING = "nothing"
    WRAPPED_1 = "wrapped-1"
    WRAPPED_2 = "wrapped-2"
    WRAPPED_3 = "wrapped-3"
    WRAPPED_4 = "wrapped-4"
    WRAPPED_5 = "wrapped-5"
    WRAPPED_6 = "wrapped-6"
    WRAPPED_7 = "wrapped-7"
    WRAPPED_8 = "wrapped-8"
    ANOTHER_HOLDER = "another-holder"
    DIGEST = "digest"
    VALUE = "value"
    UNSIGNED = "unsigned"
    SHA_1 = "sha-1"
    XSLT = "xslt"
    INDENTED = "indented"
    TWO_ASSERTIONS = "two-assertions"
    NO_ASSERTION = "no-assertion"
    NO_BAM = "no-bam"
    NO_LPS = "no-lps"
    NO_MESSAGE_ID = "no-message-id"
    OTHER_ACTION = "other-action"
    TWO_ACTIONS = "two-actions"
    UNKNOWN_MANDATORY = "unknown-mandatory"
    LOWER_CASE = "lower-case"
    ACCENT = "accent"
    TWICE = "twice"

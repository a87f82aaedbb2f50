"""Every reason a user can meet, in one place.

Conditions, events, metrics, records and docs take their words from here, so
that a page, a dashboard and a runbook can be joined by them.
"""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a release stands."""

    PREPARING = "Preparing"
    PRE_PERIOD = "PrePeriod"
    REPLACING = "Replacing"
    SHIFTING = "Shifting"
    OBSERVING = "Observing"
    AWAITING_APPROVAL = "AwaitingApproval"
    PROBING = "Probing"
    PROMOTING = "Promoting"
    BAKING = "Baking"
    FINISHING = "Finishing"
    PAUSED = "Paused"
    REVERTING = "Reverting"
    DONE = "Done"


class Outcome(StrEnum):
    """How a release ended."""

    PROMOTED = "Promoted"
    REVERTED = "Reverted"
    WITHDRAWN = "Withdrawn"
    SUPERSEDED = "Superseded"
    BLOCKED = "Blocked"
    ABORTED = "Aborted"
    BYPASSED = "Bypassed"
    DELETED = "Deleted"
    AA_TESTED = "AATested"


class Verdict(StrEnum):
    """What the evidence says."""

    SAFE = "Safe"
    HARM = "Harm"
    INCONCLUSIVE = "Inconclusive"
    NO_DATA = "NoData"
    PROVIDER_ERROR = "ProviderError"
    CONTAMINATED = "Contaminated"
    SHARED_INCIDENT = "SharedIncident"


class Act(StrEnum):
    """What is done about it."""

    HOLD = "Hold"
    ADVANCE = "Advance"
    PROMOTE = "Promote"
    PAUSE = "Pause"
    PROBE = "Probe"
    REVERT = "Revert"
    END = "End"


class Reason(StrEnum):
    """Why a decision was taken: one per rule and case."""

    # people and objects
    DELETED = "Deleted"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"
    WITHDRAWN = "Withdrawn"
    BYPASSED = "Bypassed"
    INVALID_SPEC = "InvalidSpec"
    SUSPENDED = "Suspended"
    FROZEN = "Frozen"
    WAITING_FOR_OTHERS = "WaitingForOthers"
    AWAITING_APPROVAL = "AwaitingApproval"
    HELD = "Held"
    PAUSED_BY_USER = "PausedByUser"
    PROMOTED_BY_USER = "PromotedByUser"
    AA_TESTED = "AATested"
    # deterministic
    CRASH_LOOP = "CrashLoop"
    NEVER_READY = "NeverReady"
    BLOCKED = "Blocked"
    ROUTE_CONTESTED = "RouteContested"
    # evidence
    HARM_PROVEN = "HarmProven"
    NEIGHBOUR_HARM = "NeighbourHarm"
    SAFETY_PROVEN = "SafetyProven"
    TIME_PASSED = "TimePassed"
    GATHERING_EVIDENCE = "GatheringEvidence"
    BETWEEN_LOOKS = "BetweenLooks"
    STAGE_TOO_YOUNG = "StageTooYoung"
    STAGE_CONTRADICTS = "StageContradicts"
    OUT_OF_TIME = "OutOfTime"
    # data
    PROVIDER_ERROR = "ProviderError"
    NO_DATA = "NoData"
    INCOMPLETE_DATA = "IncompleteData"
    SHARE_MISMATCH = "ShareMismatch"
    CONTAMINATED = "Contaminated"
    SHARED_INCIDENT = "SharedIncident"
    PROBING = "Probing"
    PROBE_SETTLED = "ProbeSettled"
    BACKEND_HARM = "BackendHarm"
    DESIGN_UNSOUND = "DesignUnsound"
    FOOTPRINT_GREW = "FootprintGrew"
    OVER_HEADROOM = "OverHeadroom"
    STATE_UNREADABLE = "StateUnreadable"
    # steps of the machine
    PRE_PERIOD = "PrePeriod"
    REPLACING = "Replacing"
    WAITING_FOR_HISTORY = "WaitingForHistory"
    WAITING_FOR_PODS = "WaitingForPods"
    WAITING_FOR_TRAFFIC = "WaitingForTraffic"
    WAITING_FOR_CAPACITY = "WaitingForCapacity"
    ROLLING_OUT = "RollingOut"
    BAKING = "Baking"
    CLEANING_UP = "CleaningUp"
    REFUSED = "Refused"


class Validity(StrEnum):
    """May a metric's newest bins be used?"""

    OK = "Ok"
    NO_DATA = "NoData"
    INCOMPLETE = "Incomplete"
    SHORT_HISTORY = "ShortHistory"
    NOT_A_NUMBER = "NotANumber"
    DUPLICATE_SERIES = "DuplicateSeries"
    WRONG_TYPE = "WrongType"
    LAYOUT_CHANGED = "LayoutChanged"
    NO_SUCH_EDGE = "NoSuchEdge"
    SHARE_MISMATCH = "ShareMismatch"
    PROVIDER_ERROR = "ProviderError"


class Severity(StrEnum):
    """Who has to know, from the loudest to the quietest."""

    PAGE = "Page"
    TICKET = "Ticket"
    INFO = "Info"


class Delivery(StrEnum):
    """What became of a notice, or of one attempt to send it."""

    DELIVERED = "Delivered"
    UNKNOWN_CHANNEL = "UnknownChannel"
    EXPIRED = "Expired"
    UNREADABLE = "ChannelsUnreadable"
    NOT_ALLOWED = "AddressNotAllowed"
    UNREACHED = "Unreached"
    NOT_TRUSTED = "NotTrusted"
    LATE = "Late"
    BUSY = "Busy"
    BROKEN = "ServerError"
    REJECTED = "Rejected"
    REDIRECTED = "Redirected"

"""Every reason of the gate in plain words: what it means, and what a person can do about it."""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.model.reasons import Reason


@dataclass(frozen=True, slots=True)
class Meaning:
    """what: for somebody who never read the docs. fix: what to do, "" where waiting is right."""

    what: str
    fix: str = ""


MEANINGS: dict[Reason, Meaning] = {
    Reason.DELETED: Meaning("The rollout or its target was deleted; traffic went back to stable."),
    Reason.ABORTED: Meaning(
        "A person aborted the release; traffic went back to stable.",
        "Apply another template, or ask for the same one again with `retry`.",
    ),
    Reason.SUPERSEDED: Meaning("A newer template was requested; this release made room for it."),
    Reason.WITHDRAWN: Meaning("The template went back to the stable one, so there is nothing to release."),
    Reason.BYPASSED: Meaning("A person resumed the Deployment by hand; the candidate rolls out ungated."),
    Reason.INVALID_SPEC: Meaning(
        "Something in the rollout, its Service or its route cannot be right as it is.",
        "Mend the field that is named; the release goes on by itself.",
    ),
    Reason.SUSPENDED: Meaning(
        "spec.suspend is true: nothing starts and no traffic rises.", "Set it to false in Git."
    ),
    Reason.FROZEN: Meaning(
        "A freeze window of the policy or of the rollout is open: nothing starts and no traffic rises; harm "
        "still reverts.",
        "Wait for its end, or `abort`; a person with the verb bypass may resume the Deployment by hand.",
    ),
    Reason.WAITING_FOR_OTHERS: Meaning(
        "The policy lets only so many releases run at the same time; those that waited longer come first.",
        "Wait; it begins by itself when one of those named has ended.",
    ),
    Reason.AWAITING_APPROVAL: Meaning(
        "The step that is named is due, and people have to agree first: by the stage, the policy, or mode "
        "Recommend.",
        "`approve`, by somebody with the verb approve; or `abort`.",
    ),
    Reason.HELD: Meaning(
        "The step that is named is due, and a pipeline or somebody else whom the stage names has to release "
        "it.",
        "Wait for it, or look why it does not; `abort` needs nobody's word.",
    ),
    Reason.PAUSED_BY_USER: Meaning(
        "The release is paused; the weights stay, and harm still reverts.", "`resume` or `abort`."
    ),
    Reason.PROMOTED_BY_USER: Meaning("A person promoted it before the evidence was complete."),
    Reason.AA_TESTED: Meaning(
        "An A/A test is over: both arms ran the stable version. What they showed is in the record; nothing "
        "was released."
    ),
    Reason.CRASH_LOOP: Meaning(
        "Every canary pod crashes again and again. That is certain without statistics.",
        "Look at the logs of a canary pod, mend the version and apply it.",
    ),
    Reason.NEVER_READY: Meaning(
        "Canary pods did not get ready in time while fresh pods of the stable version did.",
        "Look at the readiness probe and the logs of the version; or raise readyTimeout.",
    ),
    Reason.BLOCKED: Meaning(
        "Pods cannot start for a reason of the cluster (image, quota, room), which is not held against the "
        "version.",
        "Mend what is named; the release goes on by itself until blockedTimeout.",
    ),
    Reason.ROUTE_CONTESTED: Meaning(
        "Somebody else, often a GitOps tool, keeps moving the route's weights; the release is paused with "
        "all traffic on stable.",
        "Put the lines of condition TrafficApplied into the route in Git, let the tool ignore the weights, "
        "then `resume`.",
    ),
    Reason.HARM_PROVEN: Meaning(
        "The candidate is worse than fresh pods of the stable version on the same nodes at the same time, by "
        "more than the harm margin, with more evidence than the error budget allows to be chance.",
        "Mend the version and apply it; `report` shows the evidence over time.",
    ),
    Reason.NEIGHBOUR_HARM: Meaning(
        "Stable pods on the nodes of the candidate got worse than stable pods on other nodes, though the "
        "candidate need not be slow itself: it takes something (CPU, memory, disk) that a node shares out.",
        "Give the candidate a limit, or room of its own (requests, other nodes), or mend what it uses so "
        "much of.",
    ),
    Reason.SAFETY_PROVEN: Meaning("Every gating metric has shown that harm is below its margin."),
    Reason.TIME_PASSED: Meaning("Mode Observe: stages move by time, verdicts are only told."),
    Reason.GATHERING_EVIDENCE: Meaning("Nothing is certain yet; each new bin of measurements adds to it."),
    Reason.BETWEEN_LOOKS: Meaning("The next bin of measurements is not final yet."),
    Reason.STAGE_TOO_YOUNG: Meaning("The stage must last its minDuration, whatever the evidence says."),
    Reason.STAGE_CONTRADICTS: Meaning(
        "The evidence of the whole release says safe, but this stage alone speaks against it.",
        "Wait; if it stays so until maxDuration, the policy decides.",
    ),
    Reason.OUT_OF_TIME: Meaning(
        "maxDuration passed without enough evidence either way.",
        "`resume` gives it more time, as does `extend` before it runs out; more traffic, more pods or a "
        "wider margin need less of it.",
    ),
    Reason.PROVIDER_ERROR: Meaning(
        "The metrics source does not answer. Traffic does not rise, and nothing is blamed on the release.",
        "Mend the metrics source; evidence resumes by itself, and `abort` works without it.",
    ),
    Reason.NO_DATA: Meaning(
        "A metric has no usable measurements.",
        "Check that pods of all arms are scraped and that the metric's name and labels are right.",
    ),
    Reason.INCOMPLETE_DATA: Meaning(
        "Too many measurements are missing to judge fairly.", "Check that every pod is scraped in time."
    ),
    Reason.SHARE_MISMATCH: Meaning(
        "Requests are not shared as the weights say, so arms cannot be compared.",
        "Check the gateway, session affinity, and clients that pass by the route.",
    ),
    Reason.CONTAMINATED: Meaning(
        "Pods of one template differ, stable from stable or, in a pre-period, arm from arm: the measurements "
        "or the comparison itself are broken.",
        "Find what differs between them (nodes, scrapes, labels; in a small fleet one pod that stalled as "
        "the release began is enough), then `resume` or `abort`.",
    ),
    Reason.SHARED_INCIDENT: Meaning(
        "Everybody got worse, stable pods too: an incident, or a backend that all share.",
        "Wait for its end or mend it; if the release may be the cause, `abort`, or let the policy find out "
        "(`probe: Switchback`).",
    ),
    Reason.PROBING: Meaning(
        "Everybody got worse, and a probe finds out whether the candidate does it: its traffic goes off and "
        "on at times that were drawn beforehand.",
        "Wait for its end; `abort` if the service cannot.",
    ),
    Reason.PROBE_SETTLED: Meaning(
        "The probe is over and did not show that the candidate makes everybody worse; the stage goes on."
    ),
    Reason.BACKEND_HARM: Meaning(
        "Everybody is worse while the candidate has traffic and better while it has none, at times that only "
        "chance chose: it harms what all share, like a backend, a cache or a database.",
        "Look at what a request of the version asks of others (calls, queries, bytes), mend it and apply it.",
    ),
    Reason.DESIGN_UNSOUND: Meaning(
        "The evidence is enough, but the arms differ in more than the release: in place, in age, in load per "
        "pod, or in how their nodes moved before it.",
        "Ages come together by themselves. For load check the endpoints of both Services, retries and sticky "
        "sessions. For places and nodes `abort` and `retry` draws anew; more pods an arm or a topology "
        "spread make it lasting.",
    ),
    Reason.FOOTPRINT_GREW: Meaning(
        "The candidate needs more for each request, or in each pod, than the stable version does. That is a "
        "warning: it reverts nothing.",
        "Look at what it does more of before all traffic does it; `report` shows what that would cost.",
    ),
    Reason.OVER_HEADROOM: Meaning(
        "If every pod ran the candidate, the service would use more than the stated headroom allows. That is "
        "computed from the canary, not measured.",
        "Mend the version, or make room and raise the headroom; `promote` goes on, `abort` ends it.",
    ),
    Reason.STATE_UNREADABLE: Meaning(
        "The evidence so far cannot be read by this version of the operator; a new error budget is never "
        "opened for the same release.",
        "`abort` and then `retry`, or run the version that wrote it.",
    ),
    Reason.PRE_PERIOD: Meaning(
        "Both arms run the stable version on the release's own nodes and in its traffic; what they show now "
        "is the past that the candidate is compared with."
    ),
    Reason.REPLACING: Meaning(
        "All traffic is on stable while the pods of both arms are replaced where they stand, the canary's by "
        "the candidate."
    ),
    Reason.WAITING_FOR_HISTORY: Meaning(
        "The stable pods' past is still too short to compare with.", "Wait; it grows by itself."
    ),
    Reason.WAITING_FOR_PODS: Meaning("Pods of the arms are not ready yet."),
    Reason.WAITING_FOR_TRAFFIC: Meaning(
        "Pods of the arms get ready, and traffic is being moved until it is seen to follow the weights."
    ),
    Reason.WAITING_FOR_CAPACITY: Meaning(
        "The stable pods could not carry their share after the step.", "Wait until all of them are ready."
    ),
    Reason.ROLLING_OUT: Meaning("The fleet rolls to the candidate; the gate keeps watching."),
    Reason.BAKING: Meaning("All pods are new; they are watched for a while before the arms go."),
    Reason.CLEANING_UP: Meaning("The release ends: weights go home first, then the arms go away."),
    Reason.REFUSED: Meaning(
        "The API server refused what the release needs, in the words that are shown.",
        "Mend the quota, the admission policy or the right that is named; it is tried again by itself.",
    ),
}
"""One entry for each reason; a test holds them together."""

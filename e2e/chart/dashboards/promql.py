"""PromQL of the panels, so that no panel forgets a variable, a former leader or the first of a count.

Of several copies of the operator one works; another that worked before still shows what it knew
then. Gauges are therefore read from the leader alone, counters from all that ever counted.
"""

PREFIX = "causal_rollouts_"
CHOSEN = 'namespace=~"$namespace", rollout=~"$rollout"'
LEADS = "and on (job, instance) causal_rollouts_leader == 1"
ROLLOUT = "namespace, rollout"


def series(name: str, *matchers: str) -> str:
    """Of the rollouts that are chosen above the panels."""
    return f"{PREFIX}{name}{{{', '.join((CHOSEN, *matchers))}}}"


def now(name: str, *matchers: str, by: str = ROLLOUT, only: str = "") -> str:
    """What the leader shows. only: a comparison that drops the rest, such as `== 1`."""
    return f"max by ({by}) ({' '.join(filter(None, (series(name, *matchers), only, LEADS)))})"


def grown(name: str, *matchers: str, by: str, window: str = "$__rate_interval") -> str:
    """Increase of a counter that begins at 0, in all copies."""
    return f"sum by ({by}) (increase({series(name, *matchers)}[{window}]))"


def ended(*matchers: str, by: str = "", window: str = "$__range") -> str:
    """Releases that ended within the window.

    `increase` sees no first one: a series of the counter begins at 1, when an outcome first happens.
    """
    counted = series("releases_total", *matchers)
    more = f'label_replace(round(increase({counted}[{window}])), "part", "more", "", "")'
    first = f"min_over_time({counted}[{window}]) unless {counted} offset {window}"
    return f'sum by ({by}) ({more} or label_replace({first}, "part", "first", "", ""))'

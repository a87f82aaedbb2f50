"""What the operator's role grants, to the verb: group and resource -> verbs.

Said a second time on purpose: a right that is added has to be added here too.
"""

READ = {"get", "list", "watch"}

GRANTED = {
    ("causalrollouts.dev", "causalrollouts"): READ | {"patch"},
    ("causalrollouts.dev", "causalrollouts/status"): {"patch"},
    ("causalrollouts.dev", "causalrollouts/finalizers"): {"update"},
    ("causalrollouts.dev", "rolloutrecords"): READ | {"create", "patch", "delete"},
    ("causalrollouts.dev", "rolloutrecords/status"): {"patch"},
    ("causalrollouts.dev", "rolloutrecords/finalizers"): {"update"},
    ("causalrollouts.dev", "rolloutpolicies"): READ,
    ("apps", "deployments"): READ | {"patch"},
    ("apps", "statefulsets"): {"get", "list"},
    ("apps", "daemonsets"): {"get", "list"},
    ("apps", "replicasets"): READ | {"create", "delete"},
    ("", "pods"): READ | {"delete"},
    ("", "pods/status"): {"patch"},
    ("", "nodes"): READ,
    ("", "persistentvolumeclaims"): READ,
    ("", "services"): READ | {"create", "patch", "delete"},
    ("discovery.k8s.io", "endpointslices"): READ,
    ("gateway.networking.k8s.io", "httproutes"): READ | {"patch"},
    ("gateway.networking.k8s.io", "grpcroutes"): READ | {"patch"},
    ("apiextensions.k8s.io", "customresourcedefinitions"): READ,
    ("", "namespaces"): READ,
    ("events.k8s.io", "events"): {"create", "patch"},
}

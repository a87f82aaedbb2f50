{{/*
Burn of one objective, after the SRE workbook: two windows each, so that it begins soon and ends soon. A window with fewer
requests than `least` says nothing.
*/}}
{{- define "objective.burn" -}}
{{- $o := . -}}
{{- range $i, $w := list (list "14.4" "1h" "5m" 300) (list "6" "6h" "30m" 1800) }}
{{- if $i }}
or
{{- end }}
(
{{- range $k, $window := list (index $w 1) (index $w 2) }}
  {{- if $k }}
  and
  {{- end }}
  sum({{ $o.bad | replace "WINDOW" $window }}) / sum({{ $o.all | replace "WINDOW" $window }})
    > {{ index $w 0 }} * (1 - {{ $o.objective }} / 100)
{{- end }}
  and
  sum({{ $o.all | replace "WINDOW" (index $w 2) }}) * {{ index $w 3 }} >= {{ if hasKey $o "least" }}{{ $o.least }}{{ else }}100{{ end }}
)
{{- end }}
{{- end -}}

{{- define "objective.rules" -}}
{{- $whose := printf "namespace=%q, rollout=%q" .it.namespace .it.rollout -}}
{{- $released := printf "on() max(causal_rollouts_release_weight{%s, arm=\"canary\"}) > 0" $whose -}}
{{- $suspect := printf "max(causal_rollouts_release_harm_nats{%s}) >= 0.5 * max(causal_rollouts_release_harm_budget_nats{%s})" $whose $whose -}}
- alert: CausalRolloutBurnsBudget
  expr: |-
    (
    {{- include "objective.burn" .it | trim | nindent 4 }}
    )
    and {{ $released }}
    and on() {{ $suspect }}
  for: 2m
  labels: {severity: page, namespace: {{ .it.namespace | quote }}, rollout: {{ .it.rollout | quote }}}
  annotations:
    summary: {{ .it.namespace }}/{{ .it.rollout }} burns the error budget of its {{ .it.objective }}%, and evidence speaks against the release under way.
    runbook_url: {{ .runbooks }}causal-rollout-burns-budget.md
- alert: CausalRolloutBudgetBurnsBeside
  expr: |-
    (
    {{- include "objective.burn" .it | trim | nindent 4 }}
    )
    and {{ $released }}
    unless on() {{ $suspect }}
  for: 2m
  labels: {severity: ticket, namespace: {{ .it.namespace | quote }}, rollout: {{ .it.rollout | quote }}}
  annotations:
    summary: {{ .it.namespace }}/{{ .it.rollout }} burns the error budget of its {{ .it.objective }}% while a release is under way that nothing speaks against.
    runbook_url: {{ .runbooks }}causal-rollout-budget-burns-beside.md
{{- end -}}

{{- define "name" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "account" -}}
{{ .Values.serviceAccount.name | default (printf "%s-operator" (include "name" .)) }}
{{- end -}}

{{- define "username" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "account" . }}
{{- end -}}

{{- define "selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* A policy acts on the whole cluster or on the watched namespaces; in the latter case it carries the release's name. */ -}}
{{- define "policy" -}}
{{- if .root.Values.watchNamespaces -}}
{{ .name }}.{{ include "name" .root }}.causalrollouts.dev
{{- else -}}
{{ .name }}.causalrollouts.dev
{{- end -}}
{{- end -}}

{{- define "where" -}}
{{- with .Values.watchNamespaces -}}
namespaceSelector:
  matchExpressions:
  - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }}}
{{- end -}}
{{- end -}}

{{- define "gateVersion" -}}
{{- if .Values.gate.apiVersion -}}
{{ .Values.gate.apiVersion }}
{{- else if semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version -}}
v1
{{- else -}}
v1beta1
{{- end -}}
{{- end -}}

{{- define "regsweep.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "regsweep.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "regsweep.labels" -}}
{{ include "regsweep.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{- define "regsweep.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "regsweep.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "regsweep.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* The secret that holds the config.yml; empty where a bucket is the location. Exactly one place must be given. */ -}}
{{- define "regsweep.secret" -}}
{{- $given := 0 -}}
{{- range list .Values.registry.location .Values.registry.existingSecret .Values.registry.config -}}
{{- if . }}{{ $given = add1 $given }}{{ end -}}
{{- end -}}
{{- if ne (int $given) 1 -}}
{{- fail "give exactly one of registry.location, registry.existingSecret and registry.config" -}}
{{- end -}}
{{- if .Values.registry.existingSecret -}}
{{- .Values.registry.existingSecret -}}
{{- else if .Values.registry.config -}}
{{- include "regsweep.name" . -}}
{{- end -}}
{{- end -}}

{{- define "regsweep.arguments" -}}
- gc
- {{ .Values.registry.location | default (printf "/config/%s" .Values.registry.key) | quote }}
{{- if .Values.collect.online }}
- --online
{{- end }}
{{- if .Values.collect.untagged }}
- --untagged
{{- end }}
{{- with .Values.collect.quarantine }}
- --quarantine={{ . }}
{{- end }}
{{- with .Values.collect.grace }}
- --grace={{ . }}
{{- end }}
- --memory={{ .Values.collect.memory }}
- --progress=lines
- --progress-every=1m
{{- range .Values.collect.arguments }}
- {{ . | quote }}
{{- end }}
{{- end -}}

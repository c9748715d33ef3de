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

{{- define "regsweep.location" -}}
{{- .Values.registry.location | default (printf "/config/%s" .Values.registry.key) -}}
{{- end -}}

{{- define "regsweep.arguments" -}}
- gc
- {{ include "regsweep.location" . | quote }}
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

{{- /* What of these arguments matters to a diagnosis is said to it too; durations it does not need. */ -}}
{{- define "regsweep.doctor" -}}
- doctor
- {{ include "regsweep.location" . | quote }}
- --for={{ ternary "gc-online" "gc" .Values.collect.online }}
{{- if .Values.collect.untagged }}
- --untagged
{{- end }}
{{- range .Values.collect.arguments }}
{{- if regexMatch "^--(offline|trash|without-undo|(registry-cache|restarted-every|endpoint-url|region)=.*)$" . }}
- {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* A pod that runs the program: `root` is the chart's own context, `arguments` are what the program is told. */ -}}
{{- define "regsweep.pod" -}}
{{- $secret := include "regsweep.secret" .root -}}
serviceAccountName: {{ include "regsweep.serviceAccount" .root }}
automountServiceAccountToken: false
restartPolicy: Never
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: regsweep
    image: {{ include "regsweep.image" .root | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args:
      {{- .arguments | nindent 6 }}
    env:
      - name: HOME
        value: /data
      - name: TMPDIR
        value: /data
      {{- with .root.Values.env }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with .root.Values.envFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop:
          - ALL
    resources:
      {{- toYaml .root.Values.resources | nindent 6 }}
    volumeMounts:
      - name: work
        mountPath: /data
      {{- if $secret }}
      - name: config
        mountPath: /config
        readOnly: true
      {{- end }}
      {{- with .root.Values.volumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: work
    {{- if .root.Values.work.persistentVolumeClaim }}
    persistentVolumeClaim:
      claimName: {{ .root.Values.work.persistentVolumeClaim }}
    {{- else }}
    emptyDir:
      sizeLimit: {{ .root.Values.work.sizeLimit }}
    {{- end }}
  {{- if $secret }}
  - name: config
    secret:
      secretName: {{ $secret }}
      defaultMode: 0440
      items:
        - key: {{ .root.Values.registry.key }}
          path: {{ .root.Values.registry.key }}
  {{- end }}
  {{- with .root.Values.volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

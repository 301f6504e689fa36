{{- define "tlsrpt.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 35 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 35 characters: with the longest name of a service it is 52, and StatefulSets need 11 more for labels. */}}
{{- define "tlsrpt.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 35 | trimSuffix "-" -}}
{{- else if contains (include "tlsrpt.name" .) .Release.Name -}}
{{- .Release.Name | trunc 35 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "tlsrpt.name" .) | trunc 35 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tlsrpt.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tlsrpt.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* What never changes in the life of a release. */}}
{{- define "tlsrpt.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tlsrpt.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tlsrpt.labels" -}}
{{ include "tlsrpt.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The values of each service by its name. */}}
{{- define "tlsrpt.services" -}}
ingest-service: ingestService
stream-processor: streamProcessor
alerting-service: alertingService
console: console
{{- end -}}

{{/* The image of a service: (list $ "console"). */}}
{{- define "tlsrpt.image" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.image -}}
{{ .registry }}/{{ .repository }}/{{ index $ 1 }}:{{ .tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Nobody gains anything in a container of ours. */}}
{{- define "tlsrpt.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "tlsrpt.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/*
The settings of one service: (list $ "console"). It gets the sections that it reads, so that a secret which only
alerting needs is not demanded of the pods that face the internet, and a change restarts no service that does not care.
*/}}
{{- define "tlsrpt.config" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
{{- $given := deepCopy $root.Values.config -}}
{{- $values := get $root.Values (get (include "tlsrpt.services" $root | fromYaml) $service) -}}
{{- $reads := dict
      "ingest-service" (list "domains" "rua" "discovery" "intake" "mail" "dns" "api")
      "stream-processor" list
      "alerting-service" (list "domains" "rua" "discovery" "dns" "alerting")
      "console" (list "domains" "rua" "discovery" "mail" "api" "alerting") -}}
{{- $config := dict "data" "/var/lib/tlsrpt" "admin" (dict "listen" "0.0.0.0:8081") -}}
{{- range concat (list "topic-prefix" "retention" "kafka") (get $reads $service) -}}
{{- if hasKey $given . }}{{ $_ := set $config . (get $given .) }}{{ end -}}
{{- end -}}
{{- if has "api" (get $reads $service) -}}
{{- $_ := set $config "api" (merge (dict "listen" "0.0.0.0:8082") ($given.api | default dict)) -}}
{{- $url := include "tlsrpt.publicUrl" $root -}}
{{- if $url -}}
{{- $alerting := ternary ($given.alerting | default dict) dict (has "alerting" (get $reads $service)) -}}
{{- $_ := set $config "alerting" (merge (dict "public-url" $url) $alerting) -}}
{{- end -}}
{{- end -}}
{{- if eq $service "alerting-service" -}}
{{- with include "tlsrpt.publicUrl" $root -}}
{{- $_ := set $config "alerting" (merge (dict "public-url" .) ($given.alerting | default dict)) -}}
{{- end -}}
{{- end -}}
{{- if eq $service "console" -}}
{{- /* It names the mailboxes and judges as alerting does, but opens none and tells nobody. */ -}}
{{- $mailboxes := list -}}
{{- range dig "mailboxes" list ($given.mail | default dict) -}}
{{- $mailboxes = append $mailboxes (merge (dict "password" "not known here") (pick . "name" "host" "user" "folder")) -}}
{{- end -}}
{{- $config = omit $config "mail" -}}
{{- if $mailboxes }}{{ $_ := set $config "mail" (dict "mailboxes" $mailboxes) }}{{ end -}}
{{- with $config.alerting -}}
{{- $_ := set $config "alerting" (omit . "receivers" "routes" "digest" "mail-server" "heartbeat" "canary") -}}
{{- end -}}
{{- end -}}
{{- if eq $service "ingest-service" -}}
{{- $_ := set $config "intake" (merge (dict "listen" "0.0.0.0:8080") ($given.intake | default dict)) -}}
{{- $smtp := dig "smtp" dict ($given.mail | default dict) -}}
{{- $smtp = merge (dict "listen" "0.0.0.0:2525") $smtp -}}
{{- if $values.lmtp.enabled }}{{ $_ := set $smtp "lmtp-listen" "0.0.0.0:2424" }}{{ end -}}
{{- $_ := set $config "mail" (merge (dict "smtp" $smtp) ($given.mail | default dict)) -}}
{{- end -}}
{{- $standbys := min ($values.standbyReplicas | default 0) (sub $values.replicas 1) | int -}}
{{- if gt $standbys 0 -}}
{{- $properties := merge (dict "num.standby.replicas" (toString $standbys)) ($config.kafka.properties | default dict) -}}
{{- $_ := set $config "kafka" (merge (dict "properties" $properties) $config.kafka) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Where people reach the dashboard; "" when nothing says so. */}}
{{- define "tlsrpt.publicUrl" -}}
{{- $given := dig "public-url" "" (.Values.config.alerting | default dict) -}}
{{- if $given -}}
{{- $given -}}
{{- else if and .Values.ingress.console.enabled .Values.ingress.console.host -}}
{{- ternary "https" "http" (not (empty .Values.ingress.console.tlsSecretName)) }}://{{ .Values.ingress.console.host -}}
{{- end -}}
{{- end -}}

{{/*
A digest of those settings of a service that it reads at its start only: (list $ "console"). The others are in force
within a minute or two of a change, as soon as the kubelet has renewed the file, and no pod restarts for them.
*/}}
{{- define "tlsrpt.checksum" -}}
{{- $config := include "tlsrpt.config" . | fromYaml -}}
{{- $lasting := omit $config "domains" "rua" "discovery" "alerting" -}}
{{- with $config.intake }}{{ $_ := set $lasting "intake" (omit . "tokens" "trusted-networks") }}{{ end -}}
{{- with $config.mail }}{{ $_ := set $lasting "mail" (omit . "dkim") }}{{ end -}}
{{- with $config.api }}{{ $_ := set $lasting "api" (pick . "listen" "tls") }}{{ end -}}
{{- toYaml $lasting | sha256sum -}}
{{- end -}}

{{/* The ports of a list of host:port, one a line, each once: (list "a:1,b:2" DEFAULT). */}}
{{- define "tlsrpt.portsOf" -}}
{{- $ports := list -}}
{{- range splitList "," (index . 0) -}}
{{- with regexFind ":[0-9]{1,5}$" (trim .) }}{{ $ports = append $ports (trimPrefix ":" .) }}{{ end -}}
{{- end -}}
{{- range ($ports | default (list (index . 1)) | uniq) }}
{{ . }}
{{- end -}}
{{- end -}}

{{- define "tlsrpt.kafkaPorts" -}}
{{- if .Values.networkPolicy.kafkaPorts -}}
{{- range .Values.networkPolicy.kafkaPorts }}
{{ . }}
{{- end -}}
{{- else -}}
{{- include "tlsrpt.portsOf" (list (get .Values.config.kafka "bootstrap-servers" | default "") "9092") -}}
{{- end -}}
{{- end -}}

{{/* "yes" when a kind of the Prometheus operator is to be made: (list $ .Values.serviceMonitor "ServiceMonitor"). */}}
{{- define "tlsrpt.monitoring" -}}
{{- $root := index . 0 -}}
{{- $when := (index . 1).enabled -}}
{{- $known := $root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" (index . 2)) -}}
{{- if or (eq $when "always") (and (eq $when "auto") $known) }}yes{{ end -}}
{{- end -}}

{{/* What cannot work is refused here, with what to do. */}}
{{- define "tlsrpt.refuse" -}}
{{- $bootstrap := get (.Values.config.kafka | default dict) "bootstrap-servers" -}}
{{- if not $bootstrap -}}
{{- fail "config.kafka.bootstrap-servers is required: host:port of one or more brokers, separated by commas; the chart brings no Kafka" -}}
{{- end -}}
{{- $api := .Values.config.api | default dict -}}
{{- if not (or $api.tokens (get $api "trusted-proxy") (get $api "allow-unauthenticated")) -}}
{{- fail "config.api must say who may ask: tokens (./tlsrpt token makes one), trusted-proxy, or allow-unauthenticated: true where something else keeps strangers out" -}}
{{- end -}}
{{- if not .Values.image.registry -}}
{{- fail "image.registry is required: the images are built from this repository and pushed to a registry of yours (docs/kubernetes.md)" -}}
{{- end -}}
{{- if and (not .Values.image.tag) (hasSuffix "-SNAPSHOT" .Chart.AppVersion) -}}
{{- fail "image.tag is required: this chart is of no release, so it cannot know which build is meant" -}}
{{- end -}}
{{- $smtp := dig "smtp" dict (.Values.config.mail | default dict) -}}
{{- if or (dig "enabled" true $smtp) .Values.ingestService.lmtp.enabled -}}
{{- $mailto := false -}}
{{- range .Values.config.rua }}{{ if hasPrefix "mailto:" . }}{{ $mailto = true }}{{ end }}{{ end -}}
{{- if not (or $smtp.recipients $mailto) -}}
{{- fail "SMTP or LMTP is enabled: config.mail.smtp.recipients or a mailto: address in config.rua must say whose mail is taken" -}}
{{- end -}}
{{- end -}}
{{- range $name, $each := .Values.ingress -}}
{{- if and $each.enabled (not $each.host) -}}
{{- fail (printf "ingress.%s.host is required when ingress.%s.enabled is true" $name $name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.intake.enabled .Values.ingress.console.enabled (eq .Values.ingress.intake.host .Values.ingress.console.host) (ne .Values.ingress.intake.className .Values.ingress.console.className) -}}
{{- fail "ingress.intake and ingress.console share a host and must have the same className" -}}
{{- end -}}
{{- end -}}

{{/* A Deployment of mediaplatform_worker; dict "root" $ "component" "ingest" "stopSeconds" 40, and
"replicas" or "scratchSize" where it has them. */}}
{{- define "mediaplatform.worker" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "mediaplatform.metadata" . | nindent 2 }}
spec:
  {{- if hasKey . "replicas" }}
  replicas: {{ .replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "mediaplatform.selector" . | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        {{- include "mediaplatform.podLabels" . | nindent 8 }}
      annotations:
        {{- include "mediaplatform.podAnnotations" . | nindent 8 }}
    spec:
      serviceAccountName: {{ include "mediaplatform.account" . }}
      {{- include "mediaplatform.podSecurity" . | nindent 6 }}
      {{- include "mediaplatform.placement" . | trim | nindent 6 }}
      terminationGracePeriodSeconds: {{ .stopSeconds }}
      containers:
        - name: {{ .component }}
          image: {{ include "mediaplatform.image" (dict "root" .root "image" "worker") }}
          imagePullPolicy: {{ .root.Values.images.pullPolicy }}
          command: [python, -m, mediaplatform_worker, {{ .component }}]
          {{- include "mediaplatform.env" . | nindent 10 }}
          ports:
            - name: metrics
              containerPort: 9090
          {{- include "mediaplatform.probes" "metrics" | nindent 10 }}
          resources:
            {{- toYaml .resources | nindent 12 }}
          {{- include "mediaplatform.containerSecurity" . | nindent 10 }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            - name: scratch
              mountPath: /scratch
      volumes:
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
        - name: scratch
          emptyDir:
            sizeLimit: {{ .scratchSize }}
{{- end }}

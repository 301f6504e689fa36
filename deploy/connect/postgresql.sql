-- Tables for the connectors postgresql-*.json of this directory, and views that add up as RFC 8460 allows.
-- psql --single-transaction -v ON_ERROR_STOP=1 -f postgresql.sql; a second run changes nothing.
-- A column that a later release adds is added by the connector itself (schema.evolution).

-- One row per event and per retraction: every sum over all rows is right.
CREATE TABLE IF NOT EXISTS tlsrpt_events (
  kind text NOT NULL,
  event_id text NOT NULL,
  retraction boolean,
  result_type text,
  failure_class text,
  failed_session_count bigint,
  sending_mta_ip text,
  receiving_mx_hostname text,
  receiving_mx_helo text,
  receiving_ip text,
  failure_reason_code text,
  additional_information text,
  total_successful_session_count bigint,
  total_failure_session_count bigint,
  policy_domain text NOT NULL,
  policy_type text NOT NULL,
  policy_mode text,
  mx_host jsonb,
  submitter text NOT NULL,
  organization_name text,
  report_id text NOT NULL,
  start_datetime timestamptz NOT NULL,
  end_datetime timestamptz NOT NULL,
  authentication text NOT NULL,
  source text NOT NULL,
  received_at timestamptz NOT NULL,
  backfill boolean NOT NULL,
  truncated jsonb,
  PRIMARY KEY (event_id)
);

-- One row per day, domain, policy type, submitter and trust.
CREATE TABLE IF NOT EXISTS tlsrpt_aggregates (
  "window" date NOT NULL,
  policy_domain text NOT NULL,
  policy_type text NOT NULL,
  submitter text NOT NULL,
  authentication text NOT NULL,
  total_successful_session_count bigint NOT NULL,
  total_failure_session_count bigint NOT NULL,
  report_count bigint NOT NULL,
  policy_mode text,
  failures jsonb NOT NULL,
  first_received_at timestamptz NOT NULL,
  last_received_at timestamptz NOT NULL,
  latest_end_datetime timestamptz NOT NULL,
  backfill boolean NOT NULL,
  PRIMARY KEY ("window", policy_domain, policy_type, submitter, authentication)
);

-- One row per accepted report, its latest revision.
CREATE TABLE IF NOT EXISTS tlsrpt_reports (
  report_key text NOT NULL,
  revision bigint NOT NULL,
  submitter text NOT NULL,
  organization_name text,
  contact_info text,
  report_id text NOT NULL,
  start_datetime timestamptz NOT NULL,
  end_datetime timestamptz NOT NULL,
  policy_domains jsonb,
  entries jsonb,
  authentication text NOT NULL,
  source text NOT NULL,
  received_at timestamptz NOT NULL,
  backfill boolean NOT NULL,
  leniencies jsonb,
  raw jsonb NOT NULL,
  replaces bigint,
  PRIMARY KEY (report_key)
);

-- One row per alert, its latest state.
CREATE TABLE IF NOT EXISTS tlsrpt_alerts (
  alert_id text NOT NULL,
  incident_id text NOT NULL,
  rule text NOT NULL,
  result_type text,
  policy_domain text,
  receiving_mx_hostname text,
  submitter text,
  policy_type text,
  labels jsonb,
  state text NOT NULL,
  severity text NOT NULL,
  transition bigint NOT NULL,
  reopened boolean,
  opened_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  resolved_at timestamptz,
  resolve_reason text,
  acknowledged jsonb,
  notes jsonb,
  summary text NOT NULL,
  evidence jsonb NOT NULL,
  help jsonb,
  url text,
  runbook_url text,
  PRIMARY KEY (alert_id)
);

CREATE INDEX IF NOT EXISTS tlsrpt_events_by_domain ON tlsrpt_events (policy_domain, start_datetime);
CREATE INDEX IF NOT EXISTS tlsrpt_aggregates_by_domain ON tlsrpt_aggregates (policy_domain, "window");

-- Sessions by day, domain, policy type and trust. Totals come from summaries only, and policy types describe the same
-- sessions: choose one, never add over them.
CREATE OR REPLACE VIEW tlsrpt_sessions_by_day AS
SELECT (start_datetime AT TIME ZONE 'UTC')::date AS day, policy_domain, policy_type,
       authentication <> 'none' AS trusted,
       sum(total_successful_session_count) AS successful,
       sum(total_failure_session_count) AS failed,
       round(100.0 * sum(total_successful_session_count)
             / nullif(sum(total_successful_session_count) + sum(total_failure_session_count), 0), 2) AS success_percent
FROM tlsrpt_events
WHERE kind = 'summary'
GROUP BY 1, 2, 3, 4
HAVING sum(CASE WHEN retraction THEN -1 ELSE 1 END) > 0;

-- Failed sessions by day, domain, policy type, trust, result type and MX. Failure types overlap: never add over them.
CREATE OR REPLACE VIEW tlsrpt_failures_by_day AS
SELECT (start_datetime AT TIME ZONE 'UTC')::date AS day, policy_domain, policy_type,
       authentication <> 'none' AS trusted, result_type, receiving_mx_hostname,
       sum(failed_session_count) AS failed
FROM tlsrpt_events
WHERE kind = 'failure'
GROUP BY 1, 2, 3, 4, 5, 6
HAVING sum(CASE WHEN retraction THEN -1 ELSE 1 END) > 0;

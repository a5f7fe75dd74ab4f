import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js';
import { TerraformCount, Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { local } from '../terraform/local.ts';
import { policyDocument } from '../terraform/policy.ts';

export interface MonitoringExportProps {
  readonly naming: Naming;
  /** The key of logs. */
  readonly keyArn: string;
  /** The role that starts tasks: it hands the token over, so no code of ours ever has it. */
  readonly executionRoleName: string;
}

/** MiB that the collector may take of its task. */
const memoryMib = 128;
const scrapeInterval = '30s';

/**
 * Optional: a collector beside every service that reads its /metrics and sends them by OpenTelemetry, e.g. to
 * Dynatrace. The secret holds the whole value of the Authorization header.
 */
export class MonitoringExport extends Construct {
  constructor(scope: Construct, props: MonitoringExportProps) {
    super(scope, 'monitoring-export');
    const { naming } = props;
    const wanted = TerraformCount.of(Token.asNumber('${var.monitoring_export == null ? 0 : 1}'));
    new CloudwatchLogGroup(this, 'logs', {
      count: wanted,
      name: `/${naming.prefix}/service/collector`,
      retentionInDays: Token.asNumber('${var.log_retention_days}'),
      kmsKeyId: props.keyArn,
    });
    new IamRolePolicy(this, 'token', {
      count: wanted,
      name: 'token',
      role: props.executionRoleName,
      policy: policyDocument([
        {
          actions: ['secretsmanager:GetSecretValue'],
          resources: [
            local(this, 'token_secret_arn', 'try(var.monitoring_export.token_secret_arn, "")').asString,
          ],
        },
      ]),
    });
    local(this, 'collector_config', collectorConfig);
    local(this, 'collector', collectorContainer);
  }
}

/** `containers` names a local that holds the JSON of our own container; the collector is added where it is wanted. */
export function withCollector(containers: string): string {
  const ours = `local.${containers}`;
  return `\${var.monitoring_export == null ? ${ours} : jsonencode(concat(jsondecode(${ours}), [local.collector]))}`;
}

const collectorConfig = `jsonencode({
  receivers = { prometheus = { config = { scrape_configs = [{
    job_name = "weir", scrape_interval = "${scrapeInterval}", static_configs = [{ targets = ["127.0.0.1:8080"] }] }] } } }
  processors = {
    memory_limiter = { check_interval = "1s", limit_mib = ${Math.floor(memoryMib * 0.8)} }
    cumulativetodelta = {}
    resource = { attributes = [{ key = "deployment.environment", value = var.environment, action = "upsert" }] }
    batch = {} }
  exporters = { otlphttp = {
    endpoint = try(var.monitoring_export.otlp_endpoint, "")
    headers = { Authorization = "$\${env:TOKEN}" } } }
  service = { pipelines = { metrics = {
    receivers = ["prometheus"], processors = ["memory_limiter", "cumulativetodelta", "resource", "batch"], exporters = ["otlphttp"] } } } })`;

/** Not essential: a service goes on when its collector does not. */
const collectorContainer = `{
  name = "collector"
  image = try(var.monitoring_export.collector_image, "")
  essential = false
  command = ["--config=env:COLLECTOR_CONFIG"]
  environment = [{ name = "COLLECTOR_CONFIG", value = local.collector_config }]
  secrets = [{ name = "TOKEN", valueFrom = try(var.monitoring_export.token_secret_arn, "") }]
  memory = ${memoryMib}
  user = "1000:1000"
  privileged = false
  readonlyRootFilesystem = true
  linuxParameters = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
  logConfiguration = { logDriver = "awslogs", options = {
    "awslogs-group" = "/\${local.prefix}/service/collector"
    "awslogs-region" = var.aws_region
    "awslogs-stream-prefix" = "collector"
    "mode" = "non-blocking"
    "max-buffer-size" = "4m" } } }`;

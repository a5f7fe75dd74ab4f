# A whole apply without AWS: every resource is made up, so what is checked is how they hang together.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/weir/0000000000000000" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/weir/0000000000000000/0000000000000000" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/weir/0000000000000000" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn                       = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
      domain_validation_options = [{ domain_name = "x", resource_record_name = "_x.example.com", resource_record_type = "CNAME", resource_record_value = "_y.acm.example" }]
    }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/weir/00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mocked" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:mocked" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:mocked", url = "https://sqs.eu-central-1.amazonaws.com/123456789012/mocked" }
  }
  mock_resource "aws_kinesis_stream" {
    defaults = { arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/mocked" }
  }
  mock_resource "aws_glue_registry" {
    defaults = { arn = "arn:aws:glue:eu-central-1:123456789012:registry/mocked" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/mocked" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/mocked:1" }
  }
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:mocked" }
  }
}

run "applies_with_every_option" {
  command = apply

  assert {
    condition     = output.ingest_url == "https://ingest.weir.example.com"
    error_message = "The address of ingest does not come from domain.name."
  }
  assert {
    condition     = jsondecode(output.outbound_streams).city == "weir-prod-city"
    error_message = "An outbound stream has not the name that the router is given."
  }
  assert {
    condition     = length(aws_nat_gateway.nat) == 3 && length(aws_subnet.private) == 3
    error_message = "per_az must give every zone its NAT gateway."
  }
  assert {
    condition     = length(aws_kinesis_stream.events_changes) == 1 && length(aws_kinesis_firehose_delivery_stream.raw_archive) == 1
    error_message = "An optional copy that prod asks for is missing."
  }
}

run "follows_every_other_choice" {
  command = plan

  variables {
    outbound_streams = {
      city      = { shard_count = 4 }
      product   = { shard_count = 4 }
      user      = { shard_count = 4 }
      technical = { shard_count = 4 }
      payments  = { mode = "ON_DEMAND" }
    }
    network = {
      existing = {
        vpc_id             = "vpc-1"
        public_subnet_ids  = ["subnet-1", "subnet-2"]
        private_subnet_ids = ["subnet-3", "subnet-4"]
      }
    }
    monitoring_export = {
      otlp_endpoint    = "https://otlp.example.com"
      token_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:otlp"
      collector_image  = "registry.example.com/collector:1.0.0"
    }
  }

  assert {
    condition     = aws_kinesis_stream.outbound["payments"].name == "weir-prod-payments"
    error_message = "The new stream is missing."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.outbound_age["payments"].alarm_name == "weir-prod-outbound-age-payments"
    error_message = "The new stream has no alarm."
  }
  assert {
    condition     = contains(keys(jsondecode(local.outbound_json)), "payments") && length([for m in local.routed_metrics : m if contains(m, "weir-prod-payments")]) == 1
    error_message = "The router or the dashboard does not know the new stream."
  }
  assert {
    condition     = length(aws_vpc.platform) == 0 && length(aws_subnet.private) == 0 && length(aws_nat_gateway.nat) == 0
    error_message = "A VPC was made although one was given."
  }
  assert {
    condition     = toset(aws_ecs_service.router.network_configuration[0].subnets) == toset(["subnet-3", "subnet-4"])
    error_message = "Tasks are not in the private subnets that were given."
  }
  assert {
    condition     = [for c in jsondecode(aws_ecs_task_definition.router.container_definitions) : c.name] == ["router", "collector"]
    error_message = "The collector is not beside the service."
  }
  assert {
    condition     = strcontains(jsondecode(aws_ecs_task_definition.router.container_definitions)[1].environment[0].value, "$${env:TOKEN}")
    error_message = "The collector does not read its token from the environment."
  }
}

# Production: three zones, room for peaks, everything that can be lost is protected.
environment = "prod"
aws_region  = "eu-central-1"
image_tag   = "release-1"

domain = {
  zone_id = "Z0123456789PROD"
  name    = "weir.example.com"
}

network = {
  az_count            = 3
  nat_mode            = "per_az"
  interface_endpoints = ["kinesis-streams", "logs", "ecr.api", "ecr.dkr"]
}

inbound_stream = {
  shard_count   = 8
  shard_metrics = ["IncomingBytes", "WriteProvisionedThroughputExceeded"]
}
outbound_streams = {
  city      = { shard_count = 4 }
  product   = { shard_count = 4 }
  user      = { shard_count = 4 }
  technical = { shard_count = 4 }
}
derived_stream = { shard_count = 2 }

services = {
  ingest      = { cpu = 1024, memory = 2048, min_count = 3, max_count = 12 }
  router      = { cpu = 1024, memory = 2048, min_count = 2, max_count = 8, lag_target_ms = 30000 }
  event-store = { cpu = 1024, memory = 2048, min_count = 2, max_count = 16 }
  archiver    = { cpu = 1024, memory = 4096, min_count = 2, max_count = 8 }
  aggregator  = { cpu = 512, memory = 2048, min_count = 2, max_count = 8 }
  alerter     = { cpu = 512, memory = 1024, min_count = 2, max_count = 4 }
  detector    = { cpu = 512, memory = 2048, min_count = 2, max_count = 8 }
  query       = { cpu = 512, memory = 1024, min_count = 3, max_count = 6 }
}

lake = { raw_archive = true }

alarms = {
  emails = ["on-call@example.com"]
  p99_ms = 500
}

budget = {
  monthly_usd = 6000
  emails      = ["platform@example.com", "finance@example.com"]
}

event_store_cdc = true

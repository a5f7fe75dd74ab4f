# Development: everything on, nothing doubled. The example file explains every variable.
environment = "dev"
aws_region  = "eu-central-1"
image_tag   = "dev-1"

domain = {
  zone_id = "Z0123456789DEV"
  name    = "dev.weir.example.com"
}

network = {
  nat_mode = "single"
}

inbound_stream = { shard_count = 2 }
outbound_streams = {
  city      = { shard_count = 1 }
  product   = { shard_count = 1 }
  user      = { shard_count = 1 }
  technical = { shard_count = 1 }
}
derived_stream = { shard_count = 1 }

services = {
  ingest      = { cpu = 256, memory = 512, min_count = 1, max_count = 2 }
  router      = { cpu = 256, memory = 512, min_count = 1, max_count = 2, spot_weight = 4 }
  event-store = { cpu = 256, memory = 512, min_count = 1, max_count = 2, spot_weight = 4 }
  archiver    = { cpu = 256, memory = 1024, min_count = 1, max_count = 2, spot_weight = 4 }
  aggregator  = { cpu = 256, memory = 512, min_count = 1, max_count = 2, spot_weight = 4 }
  alerter     = { cpu = 256, memory = 512, min_count = 1, max_count = 2, spot_weight = 4 }
  detector    = { cpu = 256, memory = 512, min_count = 1, max_count = 2, spot_weight = 4 }
  query       = { cpu = 256, memory = 512, min_count = 1, max_count = 2 }
}

lake = { expire_days = 365 }

budget = {
  monthly_usd = 700
  emails      = ["platform-dev@example.com"]
}

deletion_protection = false
container_insights  = "enabled"

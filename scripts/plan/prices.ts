/**
 * List prices in US dollars, in one place. They are those of us-east-1 and were written down by hand from AWS's price
 * pages: other regions are up to a third dearer, agreements are cheaper. Correct them here and set `asOf`.
 */
export const prices = {
  asOf: '2025-06',
  region: 'us-east-1',
  kinesis: {
    shardHour: 0.015,
    /** Beyond 24 hours, up to 7 days. */
    extendedShardHour: 0.02,
    millionPutUnits: 0.014,
    onDemandStreamHour: 0.04,
    onDemandGbIn: 0.08,
    onDemandGbOut: 0.04,
  },
  fargateArm: { vcpuHour: 0.032_38, gbHour: 0.003_56 },
  dynamodb: { millionWriteUnits: 0.625, gbMonth: 0.25, recoveryGbMonth: 0.2 },
  s3: { gbMonth: 0.023 },
  firehose: { gb: 0.029 },
  sqs: { millionRequests: 0.4 },
  loadBalancer: { hour: 0.0225, capacityUnitHour: 0.008 },
  nat: { hour: 0.045 },
  publicAddress: { hour: 0.005 },
  endpoint: { zoneHour: 0.01 },
  kms: { keyMonth: 1 },
  waf: { aclMonth: 5, ruleMonth: 1 },
  cloudwatch: { logGb: 0.5, alarmMetricMonth: 0.1, compositeMonth: 0.5, dashboardMonth: 3 },
} as const;

export const hoursPerMonth = 730;
export const secondsPerMonth = hoursPerMonth * 3_600;

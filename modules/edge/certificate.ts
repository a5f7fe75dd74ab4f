import { AcmCertificate } from '@cdktf/provider-aws/lib/acm-certificate/index.js';
import { AcmCertificateValidation } from '@cdktf/provider-aws/lib/acm-certificate-validation/index.js';
import { Route53Record } from '@cdktf/provider-aws/lib/route53-record/index.js';
import { Construct } from 'constructs';
import { pin } from '../terraform/pin.ts';

/** Seconds; a record of a validation hardly ever changes. */
const validationTtl = 300;

/** A certificate for one name, proven by a record in the zone, renewed by ACM. */
export class Certificate extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, props: { readonly zoneId: string; readonly name: string }) {
    super(scope, id);
    const certificate = new AcmCertificate(this, 'certificate', {
      domainName: props.name,
      validationMethod: 'DNS',
      lifecycle: { createBeforeDestroy: true },
    });
    pin(certificate, id.replaceAll('-', '_'));
    // One name per certificate: with several, the records could be counted only after the first apply.
    const proof = certificate.domainValidationOptions.get(0);
    const record = new Route53Record(this, 'proof', {
      zoneId: props.zoneId,
      name: proof.resourceRecordName,
      type: proof.resourceRecordType,
      records: [proof.resourceRecordValue],
      ttl: validationTtl,
      allowOverwrite: true,
    });
    this.arn = new AcmCertificateValidation(this, 'validation', {
      certificateArn: certificate.arn,
      validationRecordFqdns: [record.fqdn],
    }).certificateArn;
  }
}

import { expect } from 'chai';
import {
  integer,
  list,
  oneOf,
  optional,
  parse,
  shape,
  text,
  textMap,
  timestampMs,
} from '../../../local/kinesis/validation/rules.ts';

const rule = shape({
  StreamName: text({ min: 1, max: 5, pattern: /^[a-z]+$/ }),
  Limit: optional(integer(1, 10)),
  Kind: optional(oneOf(['A', 'B'])),
  Keys: optional(list(text({ max: 2 }), 1, 2)),
  Tags: optional(textMap(text({ max: 3 }), text({ max: 3 }), 2)),
  At: optional(timestampMs),
});

function messageOf(input: unknown): string {
  try {
    parse(rule, input);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

describe('the rules of a request', () => {
  it('give back what is right, with times in milliseconds', () => {
    const given = {
      StreamName: 'abc',
      Limit: 3,
      Kind: 'B',
      Keys: ['x'],
      Tags: { k: 'v' },
      At: 1.5,
      Other: 1,
    };
    expect(parse(rule, given)).to.deep.equal({
      StreamName: 'abc',
      Limit: 3,
      Kind: 'B',
      Keys: ['x'],
      Tags: { k: 'v' },
      At: 1_500,
    });
  });

  it('name what is missing in the words of the service', () => {
    expect(messageOf({})).to.equal(
      "1 validation error detected: Value null at 'streamName' failed to satisfy constraint: Member must not be null",
    );
  });

  it('list every problem, with the path of nested members counted from one', () => {
    expect(messageOf({ StreamName: 'TOOLONG', Limit: 0, Kind: 'C', Keys: ['a', 'bcd'] })).to.equal(
      [
        "5 validation errors detected: Value 'TOOLONG' at 'streamName' failed to satisfy constraint: Member must have length less than or equal to 5",
        "Value 'TOOLONG' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+",
        "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
        "Value 'C' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: [A, B]",
        "Value 'bcd' at 'keys.2.member' failed to satisfy constraint: Member must have length less than or equal to 2",
      ].join('; '),
    );
  });

  it('refuse a wrong JSON type at once', () => {
    for (const input of [
      7,
      [],
      { StreamName: 7 },
      { StreamName: 'a', Limit: 1.5 },
      { StreamName: 'a', Keys: {} },
    ]) {
      expect(() => parse(rule, input), JSON.stringify(input))
        .to.throw()
        .with.property('code', 'SerializationException');
    }
  });
});

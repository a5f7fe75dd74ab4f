import { invalidArgument, notFound } from '../errors.ts';
import type { StreamState, Tags } from '../storage/stream-state.ts';
import type { Stream } from '../storage/stream.ts';
import { resourceArn, streamRef, tagKey, tags, TAGS_MAX } from '../validation/members.ts';
import { integer, list, optional, parse, shape, text } from '../validation/rules.ts';
import { nameFromArn, nameOfStream, type Call, type Reply } from './call.ts';

const addShape = shape({ ...streamRef, Tags: tags });
const removeShape = shape({ ...streamRef, TagKeys: list(tagKey, 1, TAGS_MAX) });
const listShape = shape({
  ...streamRef,
  ExclusiveStartTagKey: optional(tagKey),
  Limit: optional(integer(1, TAGS_MAX)),
});
const tagShape = shape({ ResourceARN: resourceArn, Tags: tags });
const untagShape = shape({ ResourceARN: resourceArn, TagKeys: list(tagKey, 1, TAGS_MAX) });
const resourceShape = shape({ ResourceARN: resourceArn });
const policyShape = shape({ ResourceARN: resourceArn, Policy: text({ min: 1, max: 20_480 }) });

export function addTagsToStream(call: Call, input: unknown): Reply {
  const read = parse(addShape, input);
  const arn = call.account.streamArn(nameOfStream(call, read));
  return changeTags(call, arn, (current) => ({ ...current, ...read.Tags }));
}

export function removeTagsFromStream(call: Call, input: unknown): Reply {
  const read = parse(removeShape, input);
  const arn = call.account.streamArn(nameOfStream(call, read));
  return changeTags(call, arn, (current) => without(current, read.TagKeys));
}

export function listTagsForStream(call: Call, input: unknown): Reply {
  const read = parse(listShape, input);
  const { state } = call.account.stream(nameOfStream(call, read), call.nowMs);
  const after = read.ExclusiveStartTagKey ?? '';
  const rest = tagsJson(state.tags).filter((tag) => tag.Key > after);
  const page = rest.slice(0, read.Limit ?? TAGS_MAX);
  return JSON.stringify({ Tags: page, HasMoreTags: rest.length > page.length });
}

export function tagResource(call: Call, input: unknown): Reply {
  const read = parse(tagShape, input);
  return changeTags(call, read.ResourceARN, (current) => ({ ...current, ...read.Tags }));
}

export function untagResource(call: Call, input: unknown): Reply {
  const read = parse(untagShape, input);
  return changeTags(call, read.ResourceARN, (current) => without(current, read.TagKeys));
}

export function listTagsForResource(call: Call, input: unknown): Reply {
  const { ResourceARN: arn } = parse(resourceShape, input);
  return JSON.stringify({ Tags: tagsJson(tagsOf(streamOfArn(call, arn).state, arn)) });
}

export function putResourcePolicy(call: Call, input: unknown): Reply {
  const { ResourceARN: arn, Policy: policy } = parse(policyShape, input);
  const stream = streamOfArn(call, arn);
  stream.change((state) => ({ ...state, policies: { ...state.policies, [arn]: policy } }), call.nowMs);
  return '';
}

export function getResourcePolicy(call: Call, input: unknown): Reply {
  const { ResourceARN: arn } = parse(resourceShape, input);
  const policy = streamOfArn(call, arn).state.policies[arn];
  if (policy === undefined) throw notFound(`No resource policy for ${arn}.`);
  return JSON.stringify({ Policy: policy });
}

export function deleteResourcePolicy(call: Call, input: unknown): Reply {
  const { ResourceARN: arn } = parse(resourceShape, input);
  const stream = streamOfArn(call, arn);
  if (stream.state.policies[arn] === undefined) throw notFound(`No resource policy for ${arn}.`);
  stream.change((state) => ({ ...state, policies: without(state.policies, [arn]) }), call.nowMs);
  return '';
}

/** Throws ResourceNotFoundException where the ARN is of no stream and no consumer here. */
function streamOfArn(call: Call, arn: string): Stream {
  const stream = call.account.stream(nameFromArn(arn) ?? arn, call.nowMs);
  tagsOf(stream.state, arn);
  return stream;
}

function tagsOf(state: StreamState, arn: string): Tags {
  if (arn === state.arn) return state.tags;
  const consumer = state.consumers.find((candidate) => candidate.arn === arn);
  if (!consumer) throw notFound(`Resource ${arn} not found.`);
  return consumer.tags;
}

function changeTags(call: Call, arn: string, next: (current: Tags) => Tags): Reply {
  const stream = streamOfArn(call, arn);
  const wanted = next(tagsOf(stream.state, arn));
  if (Object.keys(wanted).length > TAGS_MAX) {
    throw invalidArgument(
      `Failed to add tags to ${arn}: a given resource cannot have more than ${TAGS_MAX} tags.`,
    );
  }
  stream.change((state) => withTags(state, arn, wanted), call.nowMs);
  return '';
}

function withTags(state: StreamState, arn: string, wanted: Tags): StreamState {
  if (arn === state.arn) return { ...state, tags: wanted };
  return {
    ...state,
    consumers: state.consumers.map((consumer) =>
      consumer.arn === arn ? { ...consumer, tags: wanted } : consumer,
    ),
  };
}

function without(texts: Tags, keys: readonly string[]): Tags {
  return Object.fromEntries(Object.entries(texts).filter(([key]) => !keys.includes(key)));
}

function tagsJson(texts: Tags): readonly { readonly Key: string; readonly Value: string }[] {
  return Object.entries(texts)
    .map(([Key, Value]) => ({ Key, Value }))
    .toSorted((a, b) => (a.Key < b.Key ? -1 : 1));
}

import { S3Error } from './errors.ts';

/** An element to write: text, or child elements in order; a list repeats its name; undefined is left out. */
export type Content =
  | string
  | number
  | boolean
  | undefined
  | readonly Content[]
  | { readonly [name: string]: Content };

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A whole document with one root. Errors carry no namespace, everything else that of S3. */
export function xmlDocument(root: string, content: Content): string {
  const attribute = root === 'Error' ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${inner(content)}</${root}>`;
}

function inner(content: Content): string {
  if (content === undefined) return '';
  if (typeof content !== 'object') return escapeXml(String(content));
  return Object.entries(content)
    .map(([name, child]) => element(name, child))
    .join('');
}

function element(name: string, content: Content): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map((child: Content) => element(name, child)).join('');
  return `<${name}>${inner(content)}</${name}>`;
}

/** Control characters go out as references: keys may hold them, and a bare CR would be read back as LF. */
function escapeXml(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[&<>"\u0000-\u001f\u007f-\u009f]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** An element as it was read: its own text (no mixed content in S3) and its children by name. */
export interface Element {
  readonly text: string;
  readonly children: (name: string) => readonly Element[];
  /** The text of the first child of that name. */
  readonly child: (name: string) => string | undefined;
}

interface OpenElement {
  readonly name: string;
  readonly children: (readonly [name: string, element: Element])[];
  text: string;
}

const token = /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([^\s/>]+)[^>]*?(\/?)>|([^<]+)/gy;

/**
 * Reads the small documents that S3 clients send; attributes and namespaces do not matter in them.
 * @throws S3Error MalformedXML
 */
export function parseXml(source: string, root: string): Element {
  const stack: OpenElement[] = [{ name: '', children: [], text: '' }];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const match = token.exec(source);
    if (match === null) throw new S3Error('MalformedXML');
    readToken(stack, match);
  }
  const [found] = stack[0]?.children ?? [];
  if (stack.length !== 1 || found?.[0] !== root) throw new S3Error('MalformedXML');
  return found[1];
}

function readToken(stack: OpenElement[], match: RegExpExecArray): void {
  const [, slash, name, selfClosing, text] = match;
  const top = stack.at(-1);
  if (top === undefined) throw new S3Error('MalformedXML');
  if (text !== undefined) {
    top.text += unescapeXml(text);
  } else if (name !== undefined && slash === '') {
    const opened: OpenElement = { name: name.replace(/^.*:/, ''), children: [], text: '' };
    if (selfClosing === '/') top.children.push([opened.name, finished(opened)]);
    else stack.push(opened);
  } else if (name !== undefined) {
    stack.pop();
    if (top.name !== name.replace(/^.*:/, '')) throw new S3Error('MalformedXML');
    stack.at(-1)?.children.push([top.name, finished(top)]);
  }
}

function finished({ children, text }: OpenElement): Element {
  const named = (name: string): readonly Element[] =>
    children.filter(([childName]) => childName === name).map(([, child]) => child);
  return { text, children: named, child: (name) => named(name)[0]?.text };
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return entities[name] ?? whole;
    const hex = name[1]?.toLowerCase() === 'x';
    return String.fromCodePoint(Number.parseInt(name.slice(hex ? 2 : 1), hex ? 16 : 10));
  });
}

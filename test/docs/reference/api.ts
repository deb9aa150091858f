import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../cli/milena.ts';
import { type Declaration, type ExportedDeclaration, TypesFile } from './declarations.ts';
import { code, table } from './markdown.ts';

/** What each entry of the package is for; one that is not here has no page, which a test notices. */
const ENTRIES: Readonly<Record<string, string>> = {
  '.': 'The client, in Node, Workers and pages.',
  './web': 'Pub/sub from a page: no kernel, no producer of batches, six APIs of Kafka in one version each.',
  './react': 'A topic as a hook.',
  './testing': 'A broker for tests, in the process of the test.',
  './node': 'A broker in a Node process.',
  './kafkajs': 'What lets an unmodified kafkajs come in over a WebSocket.',
};

/** One page an entry, by file name. */
export function apiPages(): Map<string, string> {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'dist/package.json'), 'utf8')) as {
    exports: Record<string, string | { types: string }>;
  };
  const pages = new Map<string, string>();
  /** What has been described, and where: once is enough. */
  const places = new Map<Declaration, string>();
  for (const [entry, targets] of Object.entries(manifest.exports)) {
    if (typeof targets === 'string') continue;
    const about = ENTRIES[entry];
    if (about === undefined) throw new Error(`the entry ${entry} has no line in ${import.meta.filename}`);
    const name = entry.replace('.', 'milena');
    const file = `${name.replace('/', '-')}.md`;
    pages.set(file, pageOf({ name, about, file }, join(ROOT, 'dist', targets.types), places));
  }
  return pages;
}

function pageOf(
  { name, about, file }: { name: string; about: string; file: string },
  typesPath: string,
  places: Map<Declaration, string>,
): string {
  const exported = TypesFile.at(typesPath).exports();
  const byKind = (...kinds: string[]) =>
    [...exported]
      .filter(([, { nodes }]) => kinds.includes(nodes[0]?.type ?? ''))
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const functions = byKind('TSDeclareFunction', 'VariableDeclaration');
  const classes = byKind('ClassDeclaration');
  const types = byKind('TSInterfaceDeclaration', 'TSTypeAliasDeclaration');
  const isOptions = ([title]: [string, Declaration]) => title.endsWith('Options');
  const shown = new Set(exported.values());
  const all = [...shown, ...reachedFrom(shown)];
  const elsewhere = new Set(all.flatMap((each) => places.get(each) ?? []));
  const reached = all.filter((each) => !shown.has(each) && !places.has(each)).toSorted(byName);
  for (const each of all) if (!places.has(each)) places.set(each, file);
  const sections: [string, [string, Declaration][]][] = [
    ['Functions and values', functions],
    ['Options', types.filter(isOptions)],
    ['Classes', classes],
    ['Types', types.filter((each) => !isOptions(each))],
    ['What these are made of, and is not imported by name', reached.map((each) => [each.name, each])],
  ];
  const text = sections
    .filter(([, all]) => all.length > 0)
    .map(([title, all]) => `## ${title}\n\n${all.map(([as, each]) => described(as, each)).join('\n\n')}`);
  const links = [...elsewhere].map((place) => `[${place.replace(/\.md$/, '').replace('-', '/')}](${place})`);
  const seeAlso = links.length === 0 ? '' : ` What is not on this page is on that of ${links.join(', ')}.`;
  return `# \`${name}\`\n\n${about}${seeAlso}\n\n${text.join('\n\n')}\n`;
}

/** Declarations that public ones name, and theirs. */
function reachedFrom(shown: ReadonlySet<Declaration>): Declaration[] {
  const all = new Set(shown);
  for (const { nodes, file } of all)
    for (const node of nodes)
      for (const [name] of publicSource(file.source(node)).matchAll(/\b[A-Z]\w+/g)) {
        const found = file.find(name);
        if (found !== undefined) all.add(found);
      }
  return [...all].filter((each) => !shown.has(each) && !isNumber(each));
}

/** Without what only makes it, or is behind it. */
function publicSource(text: string): string {
  return text.replaceAll(/\bconstructor\([^;]*;/g, '').replace(/\b(?:extends|implements)\b[^{]*\{/, '{');
}

function byName(a: Declaration, b: Declaration): number {
  return a.name < b.name ? -1 : 1;
}

/** `Millis`, `Offset` and such are read as what they are. */
function isNumber({ nodes: [node], file }: Declaration): boolean {
  return node?.type === 'TSTypeAliasDeclaration' && file.source(node.typeAnnotation) === 'number';
}

function described(as: string, declaration: Declaration): string {
  const { nodes, docs, file } = declaration;
  const [node] = nodes;
  const parts = [`### \`${as}\``];
  if (node === undefined) return '';
  if (node.type === 'TSDeclareFunction') parts.push(overloads(declaration));
  else if (docs !== '') parts.push(docs);
  if (node.type === 'VariableDeclaration') parts.push(code(file.source(node.declarations[0]?.id ?? node)));
  if (node.type === 'TSTypeAliasDeclaration') parts.push(code(file.source(node.typeAnnotation)));
  if (node.type === 'TSInterfaceDeclaration') parts.push(fields(declaration));
  if (node.type === 'ClassDeclaration') parts.push(members(declaration));
  return parts.filter((part) => part !== '').join('\n\n');
}

function overloads({ nodes, file }: Declaration): string {
  return nodes
    .map((node) => {
      const signature = file.source(node).replace(/^(?:export )?(?:declare )?(?:async )?function /, '');
      return [code(signature.replace(/;$/, '')), file.docsBefore(startOf(node, file))]
        .filter((part) => part !== '')
        .join('\n\n');
    })
    .join('\n\n');
}

/** With `export` and `declare` before it, its comment stands before those. */
function startOf(node: ExportedDeclaration, file: TypesFile): number {
  return node.start - (/(?:export )?(?:declare )?$/.exec(file.text.slice(0, node.start))?.[0].length ?? 0);
}

interface Row {
  name: string;
  type: string;
  docs: string;
}

function fields(declaration: Declaration): string {
  const rows = rowsOf(declaration).map(({ name, type, docs }) => [code(name), code(type), docs]);
  return rows.length === 0 ? '' : table(['name', 'type', 'what it is'], rows);
}

/** Its own and those it inherits. */
function rowsOf({ nodes, file }: Declaration): Row[] {
  return nodes.flatMap((node) => {
    if (node.type !== 'TSInterfaceDeclaration') return [];
    const inherited = node.extends.flatMap(({ expression }) => {
      const base = expression.type === 'Identifier' ? file.find(expression.name) : undefined;
      return base === undefined ? [] : rowsOf(base);
    });
    const own = node.body.body.map((member): Row => {
      const [, name = '', type = ''] = /^(?:readonly )?([\w$]+\??|\[[^\]]*\]\??)(?:: )?(.*?);?$/.exec(
        file.source(member),
      ) ?? ['', file.source(member)];
      return { name, type: type.replace(/ \| undefined$/, ''), docs: file.docsBefore(member.start) };
    });
    return [...own, ...inherited.filter(({ name }) => own.every((each) => each.name !== name))];
  });
}

function members({ nodes: [node], file }: Declaration): string {
  if (node?.type !== 'ClassDeclaration') return '';
  return node.body.body
    .map((member) => ({ text: file.source(member).replace(/;$/, ''), docs: file.docsBefore(member.start) }))
    .filter(({ text }) => !/^(?:#private|private |constructor\(|name: string$|\[Symbol\.)/.test(text))
    .map(({ text, docs }) => (docs === '' ? `- ${code(text)}` : `- ${code(text)}: ${docs}`))
    .join('\n');
}

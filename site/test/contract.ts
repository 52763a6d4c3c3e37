// docs/openapi.json as a judge: which operation a request is, and whether an answer is what it promises. So the
// fixtures cannot drift from the contract.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fs from 'node:fs';
import path from 'node:path';

interface Operation { operationId: string; responses: Record<string, { $ref?: string; content?: Record<string, { schema: object }> }>; requestBody?: { content: Record<string, { schema: object }> }; parameters?: { $ref?: string; name?: string; in?: string }[] }
const description = JSON.parse(fs.readFileSync(path.resolve(import.meta.dirname, '../../docs/openapi.json'), 'utf8')) as { paths: Record<string, Record<string, Operation>>; components: Record<string, Record<string, unknown>> };

const ajv = new Ajv2020({ strict: false, allErrors: true });
(formats as unknown as (ajv: Ajv2020) => void)(ajv);
ajv.addFormat('int64', true);
ajv.addFormat('password', true);
ajv.addSchema({ $id: 'contract', ...description });

export interface Found { template: string; operation: Operation; path: Record<string, string>; methods: string[] }
const patterns = Object.entries(description.paths).map(([template, methods]) => ({
  template, methods,
  pattern: new RegExp('^' + template.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+?)') + '$'),
}));

export function find(method: string, pathname: string): Found | 'no-path' | string[] {
  let allowed: string[] | null = null;
  for (const { template, methods, pattern } of patterns) {
    const match = pattern.exec(pathname);
    if (!match) continue;
    const operation = methods[method.toLowerCase()];
    const names = Object.keys(methods).filter((name) => name !== 'parameters');
    if (operation) return { template, operation, methods: names, path: Object.fromEntries(Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)])) };
    allowed = names;
  }
  return allowed ?? 'no-path';
}

const validators = new Map<string, ValidateFunction>();
function validator(schema: { $ref?: string } & object): ValidateFunction {
  const key = JSON.stringify(schema);
  let found = validators.get(key);
  if (!found) {
    found = ajv.compile(JSON.parse(key.replaceAll('"#/components', '"contract#/components')) as object);
    validators.set(key, found);
  }
  return found;
}

function deref<T>(value: T & { $ref?: string }): T {
  if (!value.$ref) return value;
  return value.$ref.slice(2).split('/').reduce((at: unknown, part) => (at as Record<string, unknown>)[part], description) as T;
}

// What is wrong with this answer; empty: nothing.
export function faults(found: Found, status: number, type: string, body: unknown): string {
  const promised = found.operation.responses[String(status)];
  if (!promised) return `${found.operation.operationId}: status ${status} is not promised`;
  const response = deref(promised);
  if (!response.content) return body === undefined ? '' : `${found.operation.operationId}: a body where none is promised`;
  const content = response.content[type];
  if (!content) return `${found.operation.operationId}: ${type} is not promised`;
  if (typeof body === 'string') return '';
  const check = validator(content.schema);
  return check(body) ? '' : `${found.operation.operationId} ${status}: ${ajv.errorsText(check.errors).slice(0, 600)}`;
}
// The same of an event of the stream.
export function event_faults(name: string, data: unknown): string {
  const schema = (description.paths['/events']!['get'] as unknown as { 'x-events': Record<string, { $ref: string }> })['x-events'][name];
  if (!schema) return `no event is called ${name}`;
  const check = validator(schema);
  return check(data) ? '' : `event ${name}: ${ajv.errorsText(check.errors).slice(0, 600)}`;
}
export function request_faults(found: Found, query: URLSearchParams, body: unknown): string {
  const known = new Set((found.operation.parameters ?? []).map((parameter) => deref(parameter)).filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name));
  for (const name of query.keys()) if (!known.has(name)) return `${found.operation.operationId}: parameter '${name}' is unknown`;
  const schema = found.operation.requestBody?.content['application/json']?.schema;
  if (!schema) return '';
  const check = validator(schema);
  return check(body) ? '' : `${found.operation.operationId}: ${ajv.errorsText(check.errors).slice(0, 600)}`;
}
export const kDescription = description;

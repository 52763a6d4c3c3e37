import { expect, test } from 'vitest';
import { faults, find, kDescription } from './contract.ts';

const kMethods = ['get', 'post', 'put', 'patch', 'delete'];
const operations = Object.entries(kDescription.paths).flatMap(([path, methods]) => Object.entries(methods).filter(([method]) => kMethods.includes(method)).map(([method, operation]) => ({ path, method, operation })));

test('operations have names of their own', () => {
  const names = operations.map(({ operation }) => operation.operationId);
  expect(new Set(names).size).toBe(names.length);
});

// A path with something in each of its braces is that path again, and no other.
test.each(operations.map(({ path, method }) => [method, path]))('%s %s is found by its own path', (method, path) => {
  const found = find(method!, path!.replace(/\{(\w+)\}/g, 'x1'));
  expect(typeof found === 'object' && !Array.isArray(found) ? found.template : found).toBe(path);
});

test('each example is what its schema promises', () => {
  let examples = 0;
  for (const { path, method, operation } of operations) {
    for (const [status, response] of Object.entries(operation.responses)) {
      for (const [type, content] of Object.entries(response.content ?? {}) as [string, { example?: unknown }][]) {
        if (content.example === undefined || type === 'text/event-stream') continue;
        ++examples;
        const found = find(method, path.replace(/\{(\w+)\}/g, 'x1'));
        if (typeof found !== 'object' || Array.isArray(found)) throw new Error(path);
        expect(faults(found, Number(status), type, content.example)).toBe('');
      }
    }
  }
  expect(examples).toBeGreaterThan(25);
});

test('requests refuse what they do not know, and every failure is a problem', () => {
  const text = JSON.stringify(kDescription);
  for (const { operation } of operations) {
    const name = /schemas\/(\w+)/.exec(JSON.stringify(operation.requestBody ?? {}))?.[1];
    if (name) expect((kDescription.components['schemas']![name] as { additionalProperties?: boolean }).additionalProperties, name).toBe(false);
    for (const status of ['429', '500', '503']) expect(Object.keys(operation.responses), operation.operationId).toContain(status);
  }
  expect(text.match(/"application\/json":\{"schema":\{"\$ref":"#\/components\/schemas\/Problem"/)).toBeNull();
});

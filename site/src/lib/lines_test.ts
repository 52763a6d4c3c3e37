import { expect, test } from 'vitest';
import { pieces, visible_space } from './lines.ts';

test('white space can be seen, and lines stay lines', () => expect(visible_space('a b\t\r\nc ')).toBe('a·b→\t␍↵\nc·'));
test('marked words are pieces, and markup is text', () => {
  expect(pieces('say `muster run` and <b>')).toEqual([{ text: 'say ', code: false }, { text: 'muster run', code: true }, { text: ' and <b>', code: false }]);
});

// Strings with `marked` words, as pieces: user text is text, and so is ours; there is no {@html} here.
export interface Piece { text: string; code: boolean }
export function pieces(text: string): Piece[] {
  return text.split('`').map((part, i) => ({ text: part, code: i % 2 === 1 })).filter((piece) => piece.text !== '');
}

// Text with its white space made visible.
export function visible_space(text: string): string {
  return text.replace(/ /g, '·').replace(/\t/g, '→\t').replace(/\r/g, '␍').replace(/\n/g, '↵\n');
}

// The beginning of a text, cut between letters (code points) and never within one.
export function beginning(text: string, most: number): string {
  if (text.length <= most) return text;
  return Array.from(text.slice(0, most * 2)).slice(0, most).join('');
}

// What a comparison comes to, in a sentence.
import type { Schemas } from './api.ts';
import { counted, p_value, signed } from './format.ts';

const kSure = 0.05;

export function compare_sentence(data: Pick<Schemas['Comparison'], 'common' | 'counts' | 'difference' | 'p' | 'same_items' | 'test'>): string {
  const on = data.same_items ? `On the same ${counted(data.common, 'item')}` : `On the ${counted(data.common, 'item')} that both answered`;
  if (data.difference === null || data.p === null) return `${on} nothing can be compared.`;
  const chance = data.p < kSure ? `that is hardly chance (${p_value(data.p)})` : `that may be chance (${p_value(data.p)})`;
  if (data.test === 'bootstrap') {
    if (data.difference.value === 0) return `${on} both come to the same.`;
    return `${on} B comes to ${signed(data.difference.value, 4)} against A; ${chance}.`;
  }
  const more = data.counts.only_b - data.counts.only_a;
  if (more === 0) return data.counts.only_a === 0 ? `${on} A and B are right on the very same ones.` : `${on} A and B are right on equally many, though not on the same ones.`;
  return `${on} B is right on ${Math.abs(more)} ${more > 0 ? 'more' : 'fewer'} than A; ${chance}.`;
}

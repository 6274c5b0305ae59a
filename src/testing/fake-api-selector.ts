import type { JsonObject } from '../domain/json.ts';
import { childOf, metaOf } from './fake-api-store.ts';

/** Whether an object has the labels of a selector of the form `a=b,c=d`; `null` or an empty one selects all. */
export function isSelected(object: JsonObject, selector: string | null): boolean {
  if (selector === null || selector === '') return true;
  const labels = childOf(metaOf(object), 'labels');
  return selector.split(',').every((term) => {
    const [name = '', value = ''] = term.split('=');
    return labels[name] === value;
  });
}

import { readPath } from '../api/field-path.ts';
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

/** Whether its fields have the values of a selector of the form `a.b=c,d=e`; `null` selects all. Which may be asked for is not looked at. */
export const hasFields = (object: JsonObject, selector: string | null): boolean =>
  (selector ?? '').split(',').every((term) => {
    const [path = '', value = ''] = term.split('=');
    return term === '' || readPath(object, path.split('.')) === value;
  });

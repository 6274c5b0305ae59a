import type { AllowedNamespaces } from './decode-objects.ts';

/** The labels of a namespace. */
export type NamespaceLabels = ReadonlyMap<string, string>;

type Selector = NonNullable<AllowedNamespaces['selector']>;
type Requirement = NonNullable<Selector['matchExpressions']>[number];

function holds({ key, operator, values = [] }: Requirement, labels: NamespaceLabels): boolean {
  const value = labels.get(key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** As everywhere in Kubernetes (`metav1.LabelSelector`): all requirements must hold, and an empty selector selects all. */
const selects = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: NamespaceLabels): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels.get(key) === value) &&
  matchExpressions.every((requirement) => holds(requirement, labels));

/** Whether a pool takes models of a namespace. One whose labels are not known (`undefined`) matches no selector. */
export function allowsNamespace(allowed: AllowedNamespaces, labels: NamespaceLabels | undefined): boolean {
  const { from = 'All', selector } = allowed;
  switch (from) {
    case 'All':
      return true;
    case 'None':
      return false;
    case 'Selector':
      return selector !== undefined && labels !== undefined && selects(selector, labels);
  }
}

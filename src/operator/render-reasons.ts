import { CONDITIONS, EVENTS, FAILURES, LEAVINGS, REFUSALS, TROUBLES, WAITS, type Explained } from './reasons.ts';

interface List {
  readonly title: string;
  /** Where its reasons show. */
  readonly where: string;
  readonly reasons: Readonly<Record<string, Explained>>;
  /** The `code` of the error of its reasons, unless one says another; `undefined`: they are no errors. */
  readonly error: string | undefined;
}

const LISTS: readonly List[] = [
  {
    title: 'It has failed',
    where: `\`status.presets[].reason\` in the phase \`Failed\`; the condition \`Ready\` is False with \`LoadFailed\`; an Event \`Failed\`, or
\`Unschedulable\`. \`backOff.nextRetryTime\` says when the next request tries again; until then requests are answered at once.`,
    reasons: FAILURES,
    error: 'model_load_failed',
  },
  {
    title: 'It does not get on',
    where: `\`status.presets[].reason\` in the phase \`Loading\`; the condition \`Ready\` is False with the same reason. Requests are held, up to \`queue.maxWait\`; then the
answer has the words. Nothing is given up yet.`,
    reasons: TROUBLES,
    error: 'model_wait_timeout',
  },
  {
    title: 'It waits',
    where: `\`status.presets[].reason\` in the phase \`Waiting\`; \`corral plan\`. Requests are held, up to \`queue.maxWait\`; those with another error than
\`model_wait_timeout\` are answered at once.`,
    reasons: WAITS,
    error: 'model_wait_timeout',
  },
  {
    title: 'It is not run as it is declared',
    where: `\`status.presets[].reason\`; the condition \`PresetsAccepted\` is False with the reason of the first such preset; an Event of that reason.
Requests are answered at once.`,
    reasons: REFUSALS,
    error: 'model_not_accepted',
  },
  {
    title: 'It leaves',
    where: `\`status.presets[].reason\` in the phases \`Draining\` and \`Stopping\`; an Event \`Unloaded\`, or \`Evicted\`, when it is gone. Requests are held for
the next load.`,
    reasons: LEAVINGS,
    error: undefined,
  },
  {
    title: 'Conditions',
    where: '`status.conditions[].reason`, beside the reasons above that name it.',
    reasons: CONDITIONS,
    error: undefined,
  },
  {
    title: 'Events',
    where: 'Events about the ModelDeployment, beside those of a preset that is not run as it is declared.',
    reasons: EVENTS,
    error: undefined,
  },
];

const HEAD = `# Reasons

Generated from src/operator/reasons.ts by \`npm run generate\`. Do not edit.

Why a model of a cluster does not come, or goes: the closed list of words that Corral says it with. Beside each word there is a message in
words: in \`status.presets[].message\`, in the condition, in the Event, and in the error that clients get (503 unless
[serve.md](serve.md#errors) says otherwise). What the API server, the scheduler or a node has
said is in the status within 5 s.
`;

const isCode = (error: string): boolean => /^[a-z_]+$/u.test(error);

/** The last column is there where some reason has another error than the others of its list. */
function cellsOf([reason, explained]: [string, Explained], { error }: List, hasErrors: boolean): string[] {
  const { means, remedy = '', error: own = error ?? '' } = explained;
  return [`\`${reason}\``, means, remedy, ...(hasErrors ? [isCode(own) ? `\`${own}\`` : own] : [])];
}

function renderList(list: List): string {
  const { title, where, error } = list;
  const reasons = Object.entries(list.reasons);
  const hasErrors = reasons.some(([, explained]) => explained.error !== undefined);
  const columns = ['reason', 'what happened', 'what to do', ...(hasErrors ? ['error'] : [])];
  const rows = [columns, ...reasons.map((reason) => cellsOf(reason, list, hasErrors))].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
  const clients = error === undefined || hasErrors ? '' : ` The error is \`${error}\`.`;
  const [head = '', ...others] = rows;
  return [`## ${title}`, '', `${where}${clients}`, '', head, `${'|---'.repeat(columns.length)}|`, ...others, ''].join(
    '\n',
  );
}

/** docs/reasons.md: every reason that Corral gives in a cluster. */
export const renderReasons = (): string => [HEAD, ...LISTS.map(renderList)].join('\n');

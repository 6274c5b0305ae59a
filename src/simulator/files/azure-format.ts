import { faultOf, parseAmount, type TraceFormat } from './trace-format.ts';

const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d):(\d\d):(\d\d(?:\.\d+)?)(?:Z|\+00:00)?$/u;
const MUST = 'a time such as 2023-11-16 18:15:46.6805900';

/**
 * The Azure LLM inference traces of 2023 and 2024: `TIMESTAMP,ContextTokens,GeneratedTokens`. They do not say which model a request
 * was for. https://github.com/Azure/AzurePublicDataset
 */
export const AZURE_FORMAT: TraceFormat = {
  name: 'azure',
  columns: ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'],
  namesModels: false,
  leftOut: '',
  readRow: (cell) => {
    const at = parseTime(cell('TIMESTAMP'));
    if (at === undefined) return faultOf('TIMESTAMP', cell('TIMESTAMP'), MUST);
    const prompt = parseAmount(cell('ContextTokens'));
    if (prompt === undefined) return faultOf('ContextTokens', cell('ContextTokens'), 'a number of tokens');
    const output = parseAmount(cell('GeneratedTokens'));
    if (output === undefined) return faultOf('GeneratedTokens', cell('GeneratedTokens'), 'a number of tokens');
    return { kind: 'request', at, model: undefined, work: { kind: 'tokens', prompt, output } };
  },
};

/** Milliseconds, UTC, with what comes after them: `Date` would cut that off. */
function parseTime(text: string): number | undefined {
  const [, day, hours, minutes, seconds] = TIME.exec(text) ?? [];
  if (day === undefined) return undefined;
  const ms = Date.parse(day) + (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return Number.isNaN(ms) ? undefined : ms;
}

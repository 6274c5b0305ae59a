import { parseDuration } from '../../api/duration-text.ts';
import { findNameFault } from '../../api/check-model-name.ts';
import type { FieldPath } from '../../api/field-path.ts';
import type { Problem } from '../../api/problem.ts';
import { readQuantities } from '../../api/quantity.ts';
import type { YamlDocument } from '../../api/read-yaml.ts';
import { binName, poolName } from '../../domain/ids.ts';
import { couldHold, WHOLE_POOL, type Bin, type Pool } from '../../domain/pool.ts';
import { NO_RESOURCES } from '../../domain/resources.ts';
import { minutes, seconds, type Duration } from '../../domain/units.ts';
import type { ModelTable, TableModel } from '../traces/table-model.ts';
import { checkDocument, readOneDocument, type Checked } from './checked-yaml.ts';
import { ModelTableSchema, type WrittenModel, type WrittenTable } from './model-table-schema.ts';

const DEFAULTS = {
  stopTime: '1s',
  idleTimeout: '0s',
  priority: 0,
  minReplicas: 0,
  maxReplicas: 1,
  targetInFlight: 4,
  promptRate: 2000,
  outputRate: 50,
} as const;
const MAX_WAIT = minutes(10);
const FAIR_AFTER = seconds(30);

type Fault = Omit<Problem, 'file'> & { readonly path: FieldPath };

/** Reads a table of models. Every fault is a problem. */
export function readModelTable(text: string, file: string): Checked<ModelTable> {
  const document = readOneDocument(text, file);
  if (!document.ok) return document;
  const written = checkDocument(document.value, ModelTableSchema);
  if (!written.ok) return written;
  const pool = decodePool(written.value.pool);
  const models = written.value.models.flatMap((model) => decodeModels(withDefaults(model, written.value)));
  const faults = [...findFaults(written.value, pool), ...findRepeated(written.value)];
  if (faults.length > 0) return { ok: false, problems: faults.map((fault) => siteOf(document.value, fault)) };
  return { ok: true, value: { pool, models, maxWait: durationOr(written.value.maxWait, MAX_WAIT) } };
}

function siteOf(document: YamlDocument, { path, ...fault }: Fault): Problem {
  return { ...document.siteOfValue(path), ...fault };
}

/** Written durations have been checked. */
const durationOr = (text: string | undefined, otherwise: Duration): Duration =>
  text === undefined ? otherwise : checkedDuration(text);

function checkedDuration(text: string): Duration {
  const duration = parseDuration(text);
  if (duration === undefined) throw new Error(`${text} has been checked to be a duration`);
  return duration;
}

function decodePool({ maxLoaded = 0, bins, minResidency, fairAfter }: WrittenTable['pool']): Pool {
  return {
    name: poolName('simulated'),
    maxLoaded,
    bins: bins === undefined ? [{ name: WHOLE_POOL, size: NO_RESOURCES }] : decodeBins(bins),
    eviction: 'LRUByIdle',
    paused: false,
    minResidency: durationOr(minResidency, seconds(0)),
    fairAfter: durationOr(fairAfter, FAIR_AFTER),
  };
}

const decodeBins = (bins: NonNullable<WrittenTable['pool']['bins']>): Bin[] =>
  bins
    .flatMap(({ count = 1, size }) => Array.from({ length: count }, () => readQuantities(size, 'down')))
    .map((size, index) => ({ name: binName(`bin-${index + 1}`), size }));

type FullModel = ReturnType<typeof withDefaults>;

const withDefaults = (model: WrittenModel, { defaults }: WrittenTable) => ({ ...DEFAULTS, ...defaults, ...model });

const namesOf = ({ name, count }: Pick<WrittenModel, 'name' | 'count'>): string[] =>
  count === undefined ? [name] : Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);

/** None of a model that does not say how long it loads, which `findFaults` tells. */
function decodeModels({ loadTime, stopTime, idleTimeout, footprint, ...model }: FullModel): TableModel[] {
  if (loadTime === undefined) return [];
  const { priority, minReplicas, maxReplicas, targetInFlight, promptRate, outputRate } = model;
  return namesOf(model).map((name) => ({
    name,
    loadTime: checkedDuration(loadTime),
    stopTime: checkedDuration(stopTime),
    idleTimeout: checkedDuration(idleTimeout),
    footprint: footprint === undefined ? NO_RESOURCES : readQuantities(footprint, 'up'),
    ...{ priority, minReplicas, maxReplicas, targetInFlight, promptRate, outputRate },
  }));
}

function findFaults(written: WrittenTable, pool: Pool): Fault[] {
  const ofModels = written.models.flatMap((model, index) => {
    const path = ['models', index];
    return findModelFaults(withDefaults(model, written), pool).map((fault) => ({ ...fault, path }));
  });
  if (written.models.length === 0) return [{ path: ['models'], reason: 'there are no models' }];
  if (written.pool.bins !== undefined || pool.maxLoaded > 0) return ofModels;
  const reason = 'there is neither maxLoaded nor a bin, so that everything is loaded at once';
  return [{ path: ['pool'], reason, fix: 'Say what fits.' }, ...ofModels];
}

function findModelFaults(model: FullModel, pool: Pool): Omit<Fault, 'path'>[] {
  const nameFault = findNameFault(model.name);
  const faults = nameFault === undefined ? [] : [{ reason: nameFault }];
  if (model.loadTime === undefined)
    faults.push({ reason: `${model.name} has no loadTime, and neither have the defaults` });
  if (model.minReplicas > model.maxReplicas) {
    faults.push({
      reason: `${model.name} has more minReplicas (${model.minReplicas}) than maxReplicas (${model.maxReplicas})`,
    });
  }
  return [...faults, ...findPlaceFault(model, pool)];
}

/** Unknown is not nothing: where room is counted, each model has to say what it takes. */
function findPlaceFault({ name, footprint }: FullModel, { bins }: Pool): Omit<Fault, 'path'>[] {
  const isCounted = bins.some(({ size }) => size !== undefined && size.size > 0);
  if (footprint === undefined) {
    return isCounted ? [{ reason: `${name} has no footprint, and neither have the defaults` }] : [];
  }
  const need = readQuantities(footprint, 'up');
  if (bins.some((bin) => couldHold(bin, need))) return [];
  return [{ reason: `${name} fits into no bin, however empty`, fix: 'Make a bin larger, or the footprint smaller.' }];
}

function findRepeated({ models }: WrittenTable): Fault[] {
  const seen = new Set<string>();
  return models.flatMap((model, index) => {
    const repeated = namesOf(model).find((name) => seen.has(name));
    for (const name of namesOf(model)) seen.add(name);
    return repeated === undefined
      ? []
      : [{ path: ['models', index, 'name'], reason: `there is a model ${repeated} already` }];
  });
}

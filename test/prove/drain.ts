import { proveAstray } from './drain-trials/astray.ts';
import { cutOff, stopped } from './drain-trials/edge-away.ts';
import { edgeKilled } from './drain-trials/edge-killed.ts';
import { leaderKilled } from './drain-trials/leader-killed.ts';
import { longCut, LONG_CUT_SIZE } from './drain-trials/long-cut.ts';
import { proveOnNode } from './drain-trials/on-node.ts';
import { playOnStage } from './drain-trials/play.ts';
import { proveTogether } from './drain-trials/together.ts';
import { outage, OUTAGE_SIZE } from './drain-trials/outage.ts';
import { ROLL_OUT_SIZE, rollOutUnderLoad } from './drain-trials/roll-out-load.ts';
import { rollOut } from './drain-trials/roll-out.ts';
import { steady } from './drain-trials/steady.ts';
import type { Extent, ProofPart } from './proof.ts';

/** Of the runs, which are evictions: those with an edge that is away, or with a roll-out. */
const DISTURBED = 1 / 4;
/** Kills of the leader, and of an edge. */
const LEADERS = 1 / 50;
const KILLED_EDGES = 1 / 100;
/** Outages of the API server. */
const OUTAGES = 1 / 100;
/** Deletions that an edge hears of late, and rounds of evictions with wrong clocks. */
const ASTRAY = 1 / 100;
/** Evictions on a real node. */
const ON_NODE = 1 / 40;

/** Requests while edges are replaced. */
const REQUESTS = 25;

const shareOf = ({ runs, seed }: Extent, share: number): Extent => ({ runs: Math.ceil(runs * share), seed });

/** Evictions under load: undisturbed, then while something happens to the edges and the operators. */
export const DRAIN_PARTS: readonly ProofPart[] = [
  { name: 'steady', prove: async (extent) => playOnStage(steady, extent) },
  { name: 'stopped', prove: async (extent) => playOnStage(stopped, shareOf(extent, DISTURBED)) },
  { name: 'cut-off', prove: async (extent) => playOnStage(cutOff, shareOf(extent, DISTURBED)) },
  { name: 'long-cut', prove: async (extent) => playOnStage(longCut(), extent, LONG_CUT_SIZE) },
  { name: 'leader', prove: async (extent) => playOnStage(leaderKilled, shareOf(extent, LEADERS)) },
  { name: 'edge-killed', prove: async (extent) => playOnStage(edgeKilled(), shareOf(extent, KILLED_EDGES)) },
  { name: 'outage', prove: async (extent) => playOnStage(outage(), shareOf(extent, OUTAGES), OUTAGE_SIZE) },
  { name: 'roll-out', prove: async (extent) => playOnStage(rollOut, shareOf(extent, DISTURBED)) },
  { name: 'roll-out-load', prove: async (extent) => playOnStage(rollOutUnderLoad, shareOf(extent, REQUESTS), ROLL_OUT_SIZE) }, // prettier-ignore
  { name: 'astray', prove: async (extent) => proveAstray(shareOf(extent, ASTRAY)) },
  { name: 'together', prove: async () => proveTogether() },
  { name: 'node', prove: async (extent) => proveOnNode(shareOf(extent, ON_NODE)) },
];

import type { Log } from '../platform/log.ts';
import type { AdminAnswer } from './admin-server.ts';

/** Whatever can be scraped; a registry of prom-client. */
export interface Scraped {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** GET /metrics, in Prometheus' text form. A scrape that fails ends nothing else. */
export const metricsAnswer =
  (scraped: Scraped, log: Log): AdminAnswer =>
  (_query, response) => {
    scraped.metrics().then(
      (text) => {
        response.writeHead(200, { 'content-type': scraped.contentType }).end(text);
      },
      (error: unknown) => {
        log.error('the metrics could not be read', { error });
        response.writeHead(500).end('the metrics could not be read\n');
      },
    );
  };

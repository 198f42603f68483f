/** What `cloudflare:workers` gives the tests: the Worker's own bindings and entry. */
declare namespace Cloudflare {
  interface Env {
    readonly ROOM: DurableObjectNamespace<import('../../../worker/room/durable-object.ts').Room>;
    readonly VERSION: WorkerVersionMetadata;
  }
  interface GlobalProps {
    mainModule: { readonly default: ExportedHandler };
  }
}

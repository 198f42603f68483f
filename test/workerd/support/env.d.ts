/** What `cloudflare:workers` gives the tests: the Worker's own bindings and entry. */
declare namespace Cloudflare {
  interface Env {
    readonly ROOM: DurableObjectNamespace<import('../../../worker/room/room.ts').Room>;
  }
  interface GlobalProps {
    mainModule: { readonly default: ExportedHandler };
  }
}

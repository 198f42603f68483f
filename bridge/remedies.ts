/**
 * What to do about each reason on the readiness page, and about each code of the doctor's. The words are for
 * the person who is called at night.
 */

const SASL = 'KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD';
const CLOCK = 'Both hosts need a clock that is synchronised, for example by NTP.';
const CERTIFICATES =
  'Check that the certificate is for this name, is trusted and has not expired, and the clock of this host.';
const UNREADABLE =
  'The Worker cannot read the batch. Deploy the bridge and the Worker in the same version.';
const USER = 'the user whom Kafka sees';
const RIGHTS = `Grant it to ${USER}`;

const REMEDIES: Readonly<Record<string, string>> = {
  kafka_dns_failed:
    'The name of a broker has no address here. Check KAFKA_BROKERS and the DNS of this host.',
  kafka_refused:
    "Nothing listens at a broker's address. Check that Kafka runs, and the ports of KAFKA_BROKERS.",
  kafka_unreachable:
    "A broker's address does not answer. Check KAFKA_BROKERS, the network and its firewalls.",
  kafka_tls_failed: `TLS with a broker failed. Check KAFKA_SSL_CA_FILE, and that its listener speaks TLS as KAFKA_SSL says. ${CERTIFICATES}`,
  kafka_closed:
    'A broker closes the connection. If it stays so, its listener wants TLS (KAFKA_SSL=true) or SASL (KAFKA_SASL_MECHANISM).',
  kafka_listener_unreachable:
    'A broker of KAFKA_BROKERS answers, and names an address that cannot be reached from here. Check advertised.listeners of that broker, or whether it is down.',
  kafka_foreign:
    'What listens there does not speak the protocol of Kafka. Check the hosts and the ports of KAFKA_BROKERS.',
  kafka_unavailable: 'Kafka failed without a reason. See the log of the brokers.',
  transaction_open:
    "A producer has neither ended nor aborted its transaction, and nothing behind its beginning can be read. Kafka aborts it by itself after the producer's transaction.timeout.ms; kafka-transactions.sh find-hanging names it.",
  position_stalled:
    "There are records, the group's position does not move, and no other problem says why. Restart the bridge, with LOG_LEVEL=debug to see what it does.",
  no_answer: 'There is a connection, and no answer in time. See whether the other side hangs.',
  SASL_AUTHENTICATION_FAILED: `Kafka does not accept the user or the password. Check ${SASL}.`,
  UNSUPPORTED_SASL_MECHANISM: 'Kafka does not offer KAFKA_SASL_MECHANISM on this listener.',
  ILLEGAL_SASL_STATE: `The listener takes no SASL. Unset ${SASL}, or use the port of another listener.`,
  GROUP_AUTHORIZATION_FAILED: `The right READ on the consumer group KAFKA_GROUP_ID is missing. ${RIGHTS}.`,
  TOPIC_AUTHORIZATION_FAILED: `A right on a topic is missing: READ and DESCRIBE on the topics, WRITE on their dead-letter topics. ${RIGHTS}.`,
  CLUSTER_AUTHORIZATION_FAILED: `A right on the cluster is missing. ${RIGHTS}.`,

  gateway_dns_failed:
    'The name of the gateway has no address here. Check WEBSOCKET_GATEWAY_URL and the DNS of this host.',
  gateway_refused:
    "Nothing listens at the gateway's address. Check WEBSOCKET_GATEWAY_URL and that the Worker runs.",
  gateway_unreachable:
    "The gateway's address does not answer. Check WEBSOCKET_GATEWAY_URL, the network and its firewalls.",
  gateway_tls_failed: `TLS with the gateway failed. Check that WEBSOCKET_GATEWAY_URL begins with https:// if, and only if, its port speaks TLS. ${CERTIFICATES}`,
  gateway_closed: 'The gateway, or a proxy before it, closes the connection without an answer.',
  slow_answer: 'The gateway has not answered yet. If it stays so, see the log of the Worker.',
  answer_unreadable:
    'What answers is not the gateway. Check WEBSOCKET_GATEWAY_URL, and what stands before the Worker.',
  signature_invalid:
    'The secret is wrong: INGEST_SECRET here and INGEST_SECRET of the Worker have none in common.',
  signature_missing: 'A proxy takes the webhook-… headers away. Let them pass.',
  signature_stale: `The clock of this host and the gateway's differ by more than five minutes. ${CLOCK}`,
  position_forbidden:
    "The secret is a publisher's. Set INGEST_SECRET to one of the INGEST_SECRET of the Worker.",
  not_found: 'The Worker has no such path. Check the path of WEBSOCKET_GATEWAY_URL.',
  method_not_allowed: 'A redirect or a proxy changes the method. Check WEBSOCKET_GATEWAY_URL.',
  batch_malformed: UNREADABLE,
  body_not_json: UNREADABLE,
  body_not_utf8: UNREADABLE,
  config_invalid: 'A variable of the Worker cannot be used. Its log names it.',
  room_unavailable: "A room of the gateway does not answer. If it stays so, see the Worker's log.",
  internal: 'The Worker failed. See its log.',
  batch_too_frequent: 'The gateway asks for fewer batches. It passes by itself.',
};

/** Only the doctor has these. */
const DOCTOR_REMEDIES: Readonly<Record<string, string>> = {
  variable_unusable: 'Correct the variable. All variables are listed in bridge/OPERATIONS.md.',
  secret_unusable:
    'Set INGEST_SECRET to the one that the Worker was deployed with; `npm start` prints that of the local stack. `echo "whsec_$(openssl rand -base64 32)"` makes a new one, which the Worker must be given as well.',
  secret_of_publisher:
    'A bridge and the publishers need secrets of their own. Set INGEST_SECRET to one of the INGEST_SECRET of the Worker.',
  secret_public:
    'A deployed Worker does not run with it, and everybody knows it. Deploy the Worker with a secret of your own, and set INGEST_SECRET to that.',
  secret_unknown:
    'That is right in the middle of a rotation. Otherwise take it out of INGEST_SECRET, or give it to the Worker.',
  protocol_differs: 'Deploy the bridge and the Worker in the same version.',
  clock_drifts: `Beyond five minutes the gateway refuses every batch. ${CLOCK}`,
  kafka_listener_loopback:
    'That address means the machine of whoever uses it, so it is of use on the broker alone. Set advertised.listeners of that broker to a name that this host reaches.',
  kafka_listener_elsewhere:
    "Another Kafka listens here at the address that the broker names. Set advertised.listeners of that broker to an address that is its own on this host's network.",
  kafka_clusters_differ: 'Name the brokers of one cluster in KAFKA_BROKERS.',
  LEADER_NOT_AVAILABLE:
    'A partition has no leader, because a broker is down or has just started. See the log of the brokers.',
  topic_hidden: `The right DESCRIBE on the topic is missing. ${RIGHTS}.`,
  topic_absent:
    'Nothing needs to be done. Create it yourself if it shall have other than the default partitions and replicas.',
  topic_missing: `Create it, or let the bridge do it. Grant CREATE on the topic to ${USER}.`,
  group_foreign:
    'The bridge needs a consumer group of its own, or records go to others. Set KAFKA_GROUP_ID to a name that nobody else uses.',
  group_static:
    "Such a member keeps its partitions after its end until its session times out. A bridge has no fixed identity: see whether the group is the bridge's alone.",
  record_ahead: `The clock of this host, of a broker or of a producer is wrong. Such records may be taken for those of another topic when theirs is made anew. ${CLOCK}`,
};

const FOREIGN =
  "The answer is not the gateway's own: another server answers in its place, such as a proxy, a firewall or a page behind a wrong URL. Check WEBSOCKET_GATEWAY_URL.";
const FOREIGN_OUTAGE =
  'What stands before the Worker says that it is out of order. If it stays so, see the state of the Worker and of its platform.';

/** What to do about `reason`; undefined when nothing needs to be done. */
export function remedyOf(reason: string): string | undefined {
  for (const remedies of [REMEDIES, DOCTOR_REMEDIES]) {
    if (Object.hasOwn(remedies, reason)) return remedies[reason];
  }
  const [kind = '', rest = ''] = reason.split(': ');
  if (kind === 'missing') {
    return 'Create the topics, or let the bridge do it. A topic is also missing to a user who has no right to DESCRIBE it.';
  }
  if (kind === 'dead_letter') {
    return `The dead-letter topic does not take a record. ${remedyOf(rest) ?? 'See the log of the brokers.'}`;
  }
  const [, status] = /^http_(\d+)$/.exec(reason) ?? [];
  if (status === undefined) return undefined;
  return Number(status) >= 500 ? FOREIGN_OUTAGE : FOREIGN;
}

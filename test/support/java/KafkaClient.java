import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own producer and consumer, told by lines on standard input what to do. Each line is answered
 * by one line, so that a test decides how the records of several producers lie in the log. The fields
 * of a line are separated by tabs:
 *
 *   open   NAME COMPRESSION TRANSACTIONAL_ID|- [BATCH_BYTES]
 *   begin  NAME · commit NAME · abort NAME
 *   send   NAME TOPIC KEY_IN_HEX|- VALUE|-…   one batch; answers with the offset of the last record
 *   bulk   NAME TOPIC COUNT BYTES              one batch of COUNT records of BYTES bytes each, all alike
 *   read   TOPIC                              what a read_committed consumer sees of partition 0
 *   join   GROUP TOPIC classic|consumer [INSTANCE]  a member of a group, by its protocol, until the end
 */
public class KafkaClient {
  private static final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
  private static final List<KafkaConsumer<byte[], byte[]>> members = new ArrayList<>();
  private static String brokers;

  public static void main(String[] args) throws Exception {
    brokers = args[0];
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      try {
        System.out.println(run(line.split("\t")));
      } catch (Exception error) {
        System.out.println("error " + error);
      }
    }
    Runtime.getRuntime().halt(0);
  }

  private static String run(String[] words) throws Exception {
    var producer = words.length > 1 ? producers.get(words[1]) : null;
    switch (words[0]) {
      case "open" -> {
        int batchBytes = words.length > 4 ? Integer.parseInt(words[4]) : 16 * 1024;
        producers.put(words[1], open(words[2], words[3], batchBytes));
      }
      case "begin" -> producer.beginTransaction();
      case "commit" -> producer.commitTransaction();
      case "abort" -> producer.abortTransaction();
      case "send" -> {
        byte[] key = words[3].equals("-") ? null : HexFormat.of().parseHex(words[3]);
        Future<RecordMetadata> sent = null;
        for (int i = 4; i < words.length; i++) {
          byte[] value = words[i].equals("-") ? null : words[i].getBytes(StandardCharsets.UTF_8);
          sent = producer.send(new ProducerRecord<>(words[2], 0, key, value));
        }
        producer.flush();
        return Long.toString(sent.get().offset());
      }
      case "bulk" -> {
        byte[] value = ("\"" + "a".repeat(Integer.parseInt(words[4]) - 2) + "\"").getBytes();
        Future<RecordMetadata> sent = null;
        for (int i = 0; i < Integer.parseInt(words[3]); i++) {
          sent = producer.send(new ProducerRecord<>(words[2], 0, null, value));
        }
        producer.flush();
        return Long.toString(sent.get().offset());
      }
      case "read" -> {
        return read(words[1]);
      }
      case "join" -> join(words[1], words[2], words[3], words.length > 4 ? words[4] : null);
      default -> throw new IllegalArgumentException(words[0]);
    }
    return "ok";
  }

  private static KafkaProducer<byte[], byte[]> open(
      String compression, String transactionalId, int batchBytes) {
    var config = new Properties();
    config.put("bootstrap.servers", brokers);
    config.put("key.serializer", ByteArraySerializer.class);
    config.put("value.serializer", ByteArraySerializer.class);
    config.put("compression.type", compression);
    // Long, because each command flushes what it has written: a batch is what one command writes.
    config.put("linger.ms", 60_000);
    config.put("batch.size", batchBytes);
    config.put("buffer.memory", 64L * 1024 * 1024 + 2L * batchBytes);
    config.put("max.request.size", 256 * 1024 * 1024);
    if (!transactionalId.equals("-")) config.put("transactional.id", transactionalId);
    var producer = new KafkaProducer<byte[], byte[]>(config);
    if (!transactionalId.equals("-")) producer.initTransactions();
    return producer;
  }

  /** `offset:value` of each record that is visible, with blanks between them. */
  private static String read(String topic) {
    var config = new Properties();
    config.put("bootstrap.servers", brokers);
    config.put("key.deserializer", ByteArrayDeserializer.class);
    config.put("value.deserializer", ByteArrayDeserializer.class);
    config.put("isolation.level", "read_committed");
    var partition = new TopicPartition(topic, 0);
    var seen = new StringBuilder();
    try (var consumer = new KafkaConsumer<byte[], byte[]>(config)) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        for (var record : consumer.poll(Duration.ofMillis(100))) {
          String value = record.value() == null ? "null" : new String(record.value());
          seen.append(seen.isEmpty() ? "" : " ").append(record.offset()).append(':').append(value);
        }
      }
    }
    return seen.toString();
  }

  /** Heartbeats go on in a thread of the consumer's own. */
  private static void join(String group, String topic, String protocol, String instance) {
    var config = new Properties();
    config.put("bootstrap.servers", brokers);
    config.put("key.deserializer", ByteArrayDeserializer.class);
    config.put("value.deserializer", ByteArrayDeserializer.class);
    config.put("client.id", "java");
    config.put("group.id", group);
    config.put("group.protocol", protocol);
    if (instance != null) config.put("group.instance.id", instance);
    var consumer = new KafkaConsumer<byte[], byte[]>(config);
    members.add(consumer);
    consumer.subscribe(List.of(topic));
    while (consumer.assignment().isEmpty()) consumer.poll(Duration.ofMillis(100));
  }
}

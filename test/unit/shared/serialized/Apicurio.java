// Writes a label with the serialiser of Apicurio in its modes, as fixtures of serialized.test.ts:
// io.apicurio:apicurio-registry-serdes-avro-serde:2.6.13.Final, org.apache.kafka:kafka-clients:3.9.0
// java -cp … Apicurio http://127.0.0.1:8081/apis/registry/v2 > apicurio.jsonl
import io.apicurio.registry.serde.avro.AvroKafkaSerializer;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.kafka.common.header.internals.RecordHeaders;

public class Apicurio {
  static final String SCHEMA = """
      {"type":"record","name":"Out","namespace":"com.shop","fields":[{"name":"id","type":"string"},
      {"name":"label","type":{"type":"enum","name":"L","symbols":["YES","NO"]}},
      {"name":"time","type":"long"}]}""";

  public static void main(String[] arguments) {
    Schema schema = new Schema.Parser().parse(SCHEMA);
    var record = new GenericData.Record(schema);
    record.put("id", "j1");
    record.put("label", new GenericData.EnumSymbol(schema.getField("label").schema(), "YES"));
    record.put("time", 1767225600L);
    write("default", arguments[0], record, Map.of());
    write("noheaders", arguments[0], record, Map.of("apicurio.registry.headers.enabled", false));
    write("contentId", arguments[0], record, Map.of("apicurio.registry.use-id", "contentId"));
    write("json", arguments[0], record, Map.of("apicurio.registry.avro.encoding", "JSON"));
  }

  static void write(String name, String url, GenericData.Record record, Map<String, ?> mode) {
    Map<String, Object> settings = new HashMap<>(mode);
    settings.put("apicurio.registry.url", url);
    settings.put("apicurio.registry.auto-register", true);
    settings.putIfAbsent("apicurio.registry.headers.enabled", true);
    var serializer = new AvroKafkaSerializer<GenericData.Record>();
    serializer.configure(settings, false);
    var headers = new RecordHeaders();
    String value = HexFormat.of().formatHex(serializer.serialize("outcomes", headers, record));
    String shown = StreamSupport.stream(headers.spliterator(), false)
        .map(header -> "\"%s\":\"%s\"".formatted(header.key(), HexFormat.of().formatHex(header.value())))
        .collect(Collectors.joining(","));
    System.out.printf("{\"name\":\"%s\",\"value\":\"%s\",\"headers\":{%s}}%n", name, value, shown);
  }
}

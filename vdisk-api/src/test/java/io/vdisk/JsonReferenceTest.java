package io.vdisk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReferenceTest {
  private static JsonReference parse(String json) throws JsonReference.RefusedException {
    return JsonReference.parse("json:" + json.replace('\'', '"'));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'driver':'qcow2','file':{'driver':'file','filename':'/a/x'}}",
        "{'driver':'qcow2','file.driver':'file','file.filename':'/a/x'}",
        "{'driver':'qcow2','file.filename':'/a/x'}",
        "{'file':{'filename':'/a/x'},'driver':'qcow2'}",
        "{'driver':'qcow2','node-name':'n','file':{'driver':'host_device','filename':'/a/x',"
            + "'aio':'native','cache':{'direct':true}}}"
      })
  void plainFileIsFoundInEverySpelling(String json) throws JsonReference.RefusedException {
    assertEquals(new JsonReference("/a/x", Optional.of("qcow2")), parse(json));
  }

  @Test
  void formatIsProbedUnlessItIsSaid() throws JsonReference.RefusedException {
    assertEquals(Optional.empty(), parse("{'file.filename':'/a/x'}").format());
    assertEquals(Optional.of("raw"), parse("{'driver':'file','filename':'/a/x'}").format());
  }

  @Test
  void nameBesideTheFileDriverIsTakenAsItStands() throws JsonReference.RefusedException {
    assertEquals("nbd:x", parse("{'file.driver':'file','file.filename':'nbd:x'}").filename());
    assertEquals("a/b:c", parse("{'file.filename':'a/b:c'}").filename());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'driver':'nbd','host':'h','port':'1'} | its option 'host' is not supported here",
        "{'driver':'raw','file':{'driver':'nbd','path':'/s'}} | its driver 'nbd' is no plain file",
        "{'driver':'raw','file':'node0'} | its option 'file' is not supported here",
        "{'driver':'qcow2'} | it names no plain file ('file.filename' is missing)",
        "{'driver':'file'} | it names no plain file ('filename' is missing)",
        "{'file.filename':''} | it names no plain file ('file.filename' is missing)",
        "{'file.filename':'nbd://h/x'} | the protocol 'nbd' is no plain file",
        "{'file.filename':'json:{}'} | the protocol 'json' is no plain file",
        "{'file.filename':'x','offset':512} | its option 'offset' is not supported here",
        "{'file.filename':'x','backing':null} | its option 'backing' is not supported here",
        "{'file.filename':['x']} | its option 'file.filename' is not supported here",
        "{'file':{'filename':'x'},'file.filename':'y'} | its option 'file.filename' comes twice",
        "{'file':{'file':{'filename':'x'}}} | its option 'file.file.filename' is not supported here",
        "[] | it is no JSON: no object at character 1"
      })
  void whatLeadsElsewhereIsRefusedByName(String json, String reason) {
    assertEquals(
        reason, assertThrows(JsonReference.RefusedException.class, () -> parse(json)).getMessage());
  }
}

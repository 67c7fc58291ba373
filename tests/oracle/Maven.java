import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.maven.artifact.versioning.ComparableVersion;

/** ComparableVersion's answer to each line "A<TAB>B". */
public class Maven {
	public static void main(String[] args) throws Exception {
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
		StringBuilder out = new StringBuilder();
		for (String line; (line = in.readLine()) != null;) {
			String[] pair = line.split("\t", 2);
			int order = new ComparableVersion(pair[0]).compareTo(new ComparableVersion(pair[1]));
			out.append(order < 0 ? '<' : order > 0 ? '>' : '=').append('\n');
		}
		System.out.print(out);
	}
}

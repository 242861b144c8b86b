<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>TextPromptSeg</name>
    <message>
        <source>Text Prompt Segmentation</source>
        <translation>Textprompt-Segmentierung</translation>
    </message>
    <message>
        <source>Segment structures in CT, MR and X-ray images by typing what to segment. The same is available as the effect 'Text prompt' of Segment Editor. Results are suggestions for research and must be checked; they are not for diagnosis.</source>
        <translation>Strukturen in CT-, MR- und Röntgenbildern segmentieren, indem man schreibt, was segmentiert werden soll. Dasselbe gibt es als Effekt „Textprompt“ im Segment-Editor. Ergebnisse sind Vorschläge für die Forschung und müssen geprüft werden; sie dienen nicht der Diagnose.</translation>
    </message>
    <message>
        <source>Each checkpoint's card names the paper behind it, its training data and its licence.</source>
        <translation>Die Karte jedes Modells nennt die Veröffentlichung dahinter, die Trainingsdaten und die Lizenz.</translation>
    </message>
</context>
<context>
    <name>TextPromptSegEffect.SegmentEditorEffect</name>
    <message>
        <source>Text prompt</source>
        <translation>Textprompt</translation>
    </message>
    <message>
        <source>&lt;html&gt;Segment by typing what to segment, for example &lt;i&gt;left kidney, spleen&lt;/i&gt;.&lt;br&gt;&lt;b&gt;Preview&lt;/b&gt; shows the current slice, &lt;b&gt;Threshold&lt;/b&gt; adjusts it, &lt;b&gt;Apply&lt;/b&gt; changes the selected segment in one undo step; masking options are honoured.&lt;p&gt;Keys:&lt;br&gt;{keys}&lt;p&gt;Results are suggestions for research and must be checked.&lt;/html&gt;</source>
        <translation>&lt;html&gt;Segmentieren, indem man schreibt, was segmentiert werden soll, zum Beispiel &lt;i&gt;left kidney, spleen&lt;/i&gt;.&lt;br&gt;&lt;b&gt;Vorschau&lt;/b&gt; zeigt die aktuelle Schicht, &lt;b&gt;Schwellenwert&lt;/b&gt; passt sie an, &lt;b&gt;Anwenden&lt;/b&gt; ändert das ausgewählte Segment in einem Schritt, der sich rückgängig machen lässt; die Maskierung wird beachtet.&lt;p&gt;Tasten:&lt;br&gt;{keys}&lt;p&gt;Ergebnisse sind Vorschläge für die Forschung und müssen geprüft werden.&lt;/html&gt;</translation>
    </message>
</context>
<context>
    <name>boxes.candidates_box</name>
    <message>
        <source>One answer</source>
        <translation>Eine Antwort</translation>
    </message>
    <message>
        <source> candidates</source>
        <translation> Kandidaten</translation>
    </message>
    <message>
        <source>Show the candidate before; Apply takes the one that is shown.</source>
        <translation>Den vorigen Kandidaten zeigen; Anwenden übernimmt den, der gezeigt wird.</translation>
    </message>
    <message>
        <source>Show the next candidate; Apply takes the one that is shown.</source>
        <translation>Den nächsten Kandidaten zeigen; Anwenden übernimmt den, der gezeigt wird.</translation>
    </message>
    <message>
        <source>How many plausible answers to draw. First their mean is shown; the arrows flip.</source>
        <translation>Wie viele plausible Antworten gezogen werden. Zuerst wird ihr Mittel gezeigt; die Pfeile blättern.</translation>
    </message>
    <message>
        <source>This checkpoint gives one answer; choose one that draws candidates (the section Checkpoints of the module says which do).</source>
        <translation>Dieses Modell gibt eine Antwort; wählen Sie eines, das Kandidaten zieht (welche das sind, sagt der Abschnitt Modelle des Moduls).</translation>
    </message>
    <message>
        <source>not drawn yet</source>
        <translation>noch nicht gezogen</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} von {count}</translation>
    </message>
    <message>
        <source>mean of {count}</source>
        <translation>Mittel aus {count}</translation>
    </message>
    <message>
        <source>candidate {number} of {count}, {size}</source>
        <translation>Kandidat {number} von {count}, {size}</translation>
    </message>
    <message>
        <source>candidate {number} of {count} is empty</source>
        <translation>Kandidat {number} von {count} ist leer</translation>
    </message>
</context>
<context>
    <name>boxes.hints_box</name>
    <message>
        <source>Box</source>
        <translation>Rahmen</translation>
    </message>
    <message>
        <source>Choose or draw a box</source>
        <translation>Rahmen wählen oder zeichnen</translation>
    </message>
    <message>
        <source>Inside</source>
        <translation>Innen</translation>
    </message>
    <message>
        <source>Points on it</source>
        <translation>Punkte darauf</translation>
    </message>
    <message>
        <source>Outside</source>
        <translation>Außen</translation>
    </message>
    <message>
        <source>Points beside it</source>
        <translation>Punkte daneben</translation>
    </message>
    <message>
        <source>A box around the structure. It tells the network where to look; the range, in contrast, only cuts off what lies outside.</source>
        <translation>Ein Rahmen um die Struktur. Er sagt dem Netz, wo es suchen soll; der Bereich schneidet dagegen nur ab, was außerhalb liegt.</translation>
    </message>
    <message>
        <source>Points or a scribble on the structure. A point whose name begins with '-' lies beside it.</source>
        <translation>Punkte oder ein Strich auf der Struktur. Ein Punkt, dessen Name mit „-“ beginnt, liegt daneben.</translation>
    </message>
    <message>
        <source>Points or a scribble beside the structure; may be left out.</source>
        <translation>Punkte oder ein Strich neben der Struktur; kann entfallen.</translation>
    </message>
    <message>
        <source>Two passes</source>
        <translation>Zwei Durchgänge</translation>
    </message>
    <message>
        <source>Find a box by the text first, then ask again with that box.</source>
        <translation>Zuerst mit dem Text einen Rahmen finden, dann mit diesem Rahmen noch einmal fragen.</translation>
    </message>
    <message>
        <source>Slice to slice</source>
        <translation>Schicht für Schicht</translation>
    </message>
    <message>
        <source>Give each slice the box of what was found in the slice before.</source>
        <translation>Jeder Schicht den Rahmen dessen geben, was in der Schicht davor gefunden wurde.</translation>
    </message>
    <message>
        <source>Start from the segment</source>
        <translation>Vom Segment ausgehen</translation>
    </message>
    <message>
        <source>Box and points make the selected segment better instead of asking anew: its mask goes into the network, or where that takes none the box around it on each slice.</source>
        <translation>Rahmen und Punkte verbessern das ausgewählte Segment, statt neu zu fragen: Seine Maske geht in das Netz ein oder, wo dieses keine annimmt, der Rahmen darum in jeder Schicht.</translation>
    </message>
    <message>
        <source>Choose or draw a box, or set the hints to text alone.</source>
        <translation>Wählen oder zeichnen Sie einen Rahmen, oder stellen Sie die Hinweise auf Text allein.</translation>
    </message>
    <message>
        <source>Choose or place points, or set the hints to text alone.</source>
        <translation>Wählen oder setzen Sie Punkte, oder stellen Sie die Hinweise auf Text allein.</translation>
    </message>
    <message>
        <source>Text alone</source>
        <translation>Text allein</translation>
    </message>
    <message>
        <source>Text and a box</source>
        <translation>Text und Rahmen</translation>
    </message>
    <message>
        <source>Text and points</source>
        <translation>Text und Punkte</translation>
    </message>
    <message>
        <source>Text, a box and points</source>
        <translation>Text, Rahmen und Punkte</translation>
    </message>
    <message>
        <source>What helps the network to find the structure, beside the text.</source>
        <translation>Was dem Netz neben dem Text hilft, die Struktur zu finden.</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points (the section Checkpoints of the module says which do).</source>
        <translation>Dieses Modell beachtet nur den Text; wählen Sie eines, das Rahmen oder Punkte annimmt (welche das sind, sagt der Abschnitt Modelle des Moduls).</translation>
    </message>
</context>
<context>
    <name>boxes.markups_box</name>
    <message>
        <source>Draw</source>
        <translation>Zeichnen</translation>
    </message>
    <message>
        <source>Draw in a slice view; press Escape to end.</source>
        <translation>In einer Schichtansicht zeichnen; Escape beendet.</translation>
    </message>
    <message>
        <source>Scribble</source>
        <translation>Strich</translation>
    </message>
    <message>
        <source>Draw a line on the structure, click by click; a right click or Escape ends it. The network gets points along it.</source>
        <translation>Klick für Klick eine Linie auf der Struktur zeichnen; ein Rechtsklick oder Escape beendet sie. Das Netz erhält Punkte entlang der Linie.</translation>
    </message>
</context>
<context>
    <name>boxes.modality_box</name>
    <message>
        <source>The grey values are scaled for the network by what the image is. After a run the outcome says what it was taken for; correct it here.</source>
        <translation>Die Grauwerte werden für das Netz danach skaliert, was das Bild ist. Nach einem Lauf sagt das Ergebnis, wofür es gehalten wurde; hier lässt es sich berichtigen.</translation>
    </message>
    <message>
        <source>As the image says</source>
        <translation>Wie das Bild es angibt</translation>
    </message>
    <message>
        <source>CT</source>
        <translation>CT</translation>
    </message>
    <message>
        <source>MR</source>
        <translation>MR</translation>
    </message>
    <message>
        <source>X-ray</source>
        <translation>Röntgen</translation>
    </message>
</context>
<context>
    <name>boxes.model_box</name>
    <message>
        <source>Checkpoint: the trained network that answers the prompt.</source>
        <translation>Modell: das trainierte Netz, das den Prompt beantwortet.</translation>
    </message>
    <message>
        <source>No checkpoint is installed</source>
        <translation>Kein Modell ist installiert</translation>
    </message>
    <message>
        <source>The checkpoint '{title}' may only be used under this licence:

{licence}
{line}

Use it under this licence?</source>
        <translation>Das Modell „{title}“ darf nur unter dieser Lizenz verwendet werden:

{licence}
{line}

Unter dieser Lizenz verwenden?</translation>
    </message>
    <message>
        <source>Licence of the checkpoint</source>
        <translation>Lizenz des Modells</translation>
    </message>
    <message>
        <source>Images: {modalities}; slices: {planes}; {prompts}</source>
        <translation>Bilder: {modalities}; Schichten: {planes}; {prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>nicht angegeben</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>beliebige Wörter (offener Wortschatz)</translation>
    </message>
    <message>
        <source>{count} trained prompts</source>
        <translation>{count} trainierte Prompts</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>Gemessen: {tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>Lizenz: {licence}</translation>
    </message>
    <message>
        <source>Size {size}, memory about {memory}</source>
        <translation>Größe {size}, Speicher etwa {memory}</translation>
    </message>
    <message>
        <source>boxes</source>
        <translation>Rahmen</translation>
    </message>
    <message>
        <source>points</source>
        <translation>Punkte</translation>
    </message>
    <message>
        <source>masks</source>
        <translation>Masken</translation>
    </message>
    <message>
        <source>draws candidates</source>
        <translation>zieht Kandidaten</translation>
    </message>
    <message>
        <source>shows where it looked</source>
        <translation>zeigt, wohin es geschaut hat</translation>
    </message>
    <message>
        <source>Takes: {what}</source>
        <translation>Nimmt an: {what}</translation>
    </message>
    <message>
        <source>text</source>
        <translation>Text</translation>
    </message>
</context>
<context>
    <name>boxes.parse_view</name>
    <message>
        <source>How the prompt was understood. Click a name to change it.</source>
        <translation>Wie der Prompt verstanden wurde. Ein Klick auf einen Namen ändert ihn.</translation>
    </message>
    <message>
        <source>Use '{name}'</source>
        <translation>„{name}“ verwenden</translation>
    </message>
    <message>
        <source>Ask the network in these words</source>
        <translation>Das Netz mit diesen Worten fragen</translation>
    </message>
    <message>
        <source>Whole '{name}'</source>
        <translation>„{name}“ ganz</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
</context>
<context>
    <name>boxes.region_box</name>
    <message>
        <source>Part of the image that Apply segments; nothing is found outside.</source>
        <translation>Teil des Bildes, den Anwenden segmentiert; außerhalb wird nichts gefunden.</translation>
    </message>
    <message>
        <source>Current slice</source>
        <translation>Aktuelle Schicht</translation>
    </message>
    <message>
        <source>Slice range</source>
        <translation>Schichtbereich</translation>
    </message>
    <message>
        <source>Region of interest</source>
        <translation>Region von Interesse</translation>
    </message>
    <message>
        <source>Whole volume</source>
        <translation>Ganzes Volumen</translation>
    </message>
    <message>
        <source>from</source>
        <translation>von</translation>
    </message>
    <message>
        <source>to</source>
        <translation>bis</translation>
    </message>
    <message>
        <source>Region</source>
        <translation>Region</translation>
    </message>
    <message>
        <source>Choose or draw a region of interest</source>
        <translation>Region von Interesse wählen oder zeichnen</translation>
    </message>
</context>
<context>
    <name>boxes.run_bar</name>
    <message>
        <source>Apply</source>
        <translation>Anwenden</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>Beginnt...</translation>
    </message>
</context>
<context>
    <name>boxes.threshold_box</name>
    <message>
        <source>Probability from which a voxel belongs to the structure. Moving it needs no new run.</source>
        <translation>Wahrscheinlichkeit, ab der ein Voxel zur Struktur gehört. Sie zu verschieben braucht keinen neuen Lauf.</translation>
    </message>
    <message>
        <source>Auto</source>
        <translation>Auto</translation>
    </message>
    <message>
        <source>Use the threshold that the checkpoint was tuned for.</source>
        <translation>Den Schwellenwert verwenden, auf den das Modell abgestimmt wurde.</translation>
    </message>
    <message>
        <source>A candidate is drawn at the checkpoint's threshold; flip to the mean to move it.</source>
        <translation>Ein Kandidat wird beim Schwellenwert des Modells gezeichnet; blättern Sie zum Mittel, um ihn zu verschieben.</translation>
    </message>
</context>
<context>
    <name>effect.controller</name>
    <message>
        <source>There is no segment yet; press Apply first.</source>
        <translation>Es gibt noch kein Segment; drücken Sie zuerst Anwenden.</translation>
    </message>
    <message>
        <source>Select a segment that was made by a text prompt, then press Again.</source>
        <translation>Wählen Sie ein Segment, das durch einen Textprompt entstand, und drücken Sie dann Erneut.</translation>
    </message>
    <message>
        <source>Prompt, checkpoint and threshold are those of the selected segment.</source>
        <translation>Prompt, Modell und Schwellenwert sind die des ausgewählten Segments.</translation>
    </message>
    <message>
        <source>The next run starts from it: place points, or draw a box.</source>
        <translation>Der nächste Lauf geht von ihm aus: Setzen Sie Punkte, oder zeichnen Sie einen Rahmen.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>Abgebrochen; nichts wurde geändert.</translation>
    </message>
    <message>
        <source>The segmentation was deleted during the run; nothing was changed.</source>
        <translation>Die Segmentierung wurde während des Laufs gelöscht; nichts wurde geändert.</translation>
    </message>
    <message>
        <source>Another segmentation or volume was selected meanwhile; nothing was written.</source>
        <translation>Inzwischen wurde eine andere Segmentierung oder ein anderes Volumen gewählt; nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>probably {name} is outside this field of view</source>
        <translation>vermutlich liegt {name} außerhalb dieses Bildausschnitts</translation>
    </message>
</context>
<context>
    <name>effect.fold</name>
    <message>
        <source>Options</source>
        <translation>Optionen</translation>
    </message>
    <message>
        <source>Changed: {list}</source>
        <translation>Geändert: {list}</translation>
    </message>
</context>
<context>
    <name>effect.hand_keys</name>
    <message>
        <source>Enter</source>
        <translation>Eingabetaste</translation>
    </message>
    <message>
        <source>preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Strg+Eingabetaste</translation>
    </message>
    <message>
        <source>apply</source>
        <translation>anwenden</translation>
    </message>
    <message>
        <source>Escape</source>
        <translation>Escape</translation>
    </message>
    <message>
        <source>end drawing, cancel a run, switch the preview off</source>
        <translation>Zeichnen beenden, einen Lauf abbrechen, die Vorschau ausschalten</translation>
    </message>
    <message>
        <source>draw a box</source>
        <translation>einen Rahmen zeichnen</translation>
    </message>
    <message>
        <source>set points</source>
        <translation>Punkte setzen</translation>
    </message>
    <message>
        <source>points on the structure or beside it</source>
        <translation>Punkte auf der Struktur oder daneben</translation>
    </message>
    <message>
        <source>next segment</source>
        <translation>nächstes Segment</translation>
    </message>
    <message>
        <source>Draw in a slice view (key B); press Escape to end.</source>
        <translation>In einer Schichtansicht zeichnen (Taste B); Escape beendet.</translation>
    </message>
    <message>
        <source>Set points in a slice view (key O; T changes between points on the structure and beside it); press Escape to end.</source>
        <translation>Punkte in einer Schichtansicht setzen (Taste O; T wechselt zwischen Punkten auf der Struktur und daneben); Escape beendet.</translation>
    </message>
    <message>
        <source>The next points lie on the structure.</source>
        <translation>Die nächsten Punkte liegen auf der Struktur.</translation>
    </message>
    <message>
        <source>The next points lie beside the structure.</source>
        <translation>Die nächsten Punkte liegen neben der Struktur.</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points.</source>
        <translation>Dieses Modell beachtet nur den Text; wählen Sie eines, das Rahmen oder Punkte annimmt.</translation>
    </message>
</context>
<context>
    <name>effect.live_preview</name>
    <message>
        <source>Preview: a third by height needs the whole image, which is searched once...</source>
        <translation>Vorschau: Ein Drittel der Höhe braucht das ganze Bild, das einmal durchsucht wird...</translation>
    </message>
    <message>
        <source>Preview...</source>
        <translation>Vorschau...</translation>
    </message>
    <message>
        <source>axial</source>
        <translation>axial</translation>
    </message>
    <message>
        <source>coronal</source>
        <translation>koronal</translation>
    </message>
    <message>
        <source>sagittal</source>
        <translation>sagittal</translation>
    </message>
    <message>
        <source>Previewed on the {plane} slice {number} of {count}, which no view shows: the line shows where it lies.</source>
        <translation>Vorschau der {plane}en Schicht {number} von {count}, die keine Ansicht zeigt: Die Linie zeigt, wo sie liegt.</translation>
    </message>
    <message>
        <source>{name}, candidate {number}</source>
        <translation>{name}, Kandidat {number}</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice</source>
        <translation>{name}: {area:.1f} cm² in dieser Schicht</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice, max p {p:.2f}</source>
        <translation>{name}: {area:.1f} cm² in dieser Schicht, max. p {p:.2f}</translation>
    </message>
    <message>
        <source>{name}: not on this slice, max p {p:.2f}</source>
        <translation>{name}: nicht in dieser Schicht, max. p {p:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.names_menu</name>
    <message>
        <source>Names</source>
        <translation>Namen</translation>
    </message>
    <message>
        <source>What this checkpoint knows well: everything, the organs of a region, or one by one.</source>
        <translation>Was dieses Modell gut kennt: alles, die Organe einer Region oder einzeln.</translation>
    </message>
    <message>
        <source>Everything ({count})</source>
        <translation>Alles ({count})</translation>
    </message>
    <message>
        <source>{region} ({count})</source>
        <translation>{region} ({count})</translation>
    </message>
    <message>
        <source>All organs of the region</source>
        <translation>Alle Organe der Region</translation>
    </message>
    <message>
        <source>Other ({count})</source>
        <translation>Andere ({count})</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>Kopf</translation>
    </message>
    <message>
        <source>Neck</source>
        <translation>Hals</translation>
    </message>
    <message>
        <source>Chest</source>
        <translation>Thorax</translation>
    </message>
    <message>
        <source>Abdomen</source>
        <translation>Abdomen</translation>
    </message>
    <message>
        <source>Pelvis</source>
        <translation>Becken</translation>
    </message>
    <message>
        <source>Limbs</source>
        <translation>Extremitäten</translation>
    </message>
</context>
<context>
    <name>effect.options</name>
    <message>
        <source>What to segment, for example "left kidney, spleen"</source>
        <translation>Was segmentiert werden soll, zum Beispiel „left kidney, spleen“</translation>
    </message>
    <message>
        <source>Names, synonyms, sides, thirds and lists are understood: 'upper left lung', 'liver without tumor'. Press Enter to preview. The prompt is saved with the scene.</source>
        <translation>Namen, Synonyme, Seiten, Drittel und Listen werden verstanden: „upper left lung“, „liver without tumor“. Die Eingabetaste zeigt die Vorschau. Der Prompt wird mit der Szene gespeichert.</translation>
    </message>
    <message>
        <source>Again</source>
        <translation>Erneut</translation>
    </message>
    <message>
        <source>Take prompt, checkpoint and threshold from the selected segment, to run them again; with a box or points the next run starts from its mask.</source>
        <translation>Prompt, Modell und Schwellenwert vom ausgewählten Segment übernehmen, um sie noch einmal laufen zu lassen; mit Rahmen oder Punkten geht der nächste Lauf von seiner Maske aus.</translation>
    </message>
    <message>
        <source>What happens to the selected segment. With 'Set', several structures become several segments; the other operations use them together.</source>
        <translation>Was mit dem ausgewählten Segment geschieht. Mit „Setzen“ werden mehrere Strukturen zu mehreren Segmenten; die anderen Operationen verwenden sie zusammen.</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Setzen</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Intersect</source>
        <translation>Schnittmenge</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <source>Show the result on the current slice (Enter in the prompt line). It follows the slice, the prompt and the threshold until it is switched off (Escape).</source>
        <translation>Das Ergebnis in der aktuellen Schicht zeigen (Eingabetaste in der Promptzeile). Es folgt der Schicht, dem Prompt und dem Schwellenwert, bis die Vorschau ausgeschaltet wird (Escape).</translation>
    </message>
    <message>
        <source>Segment the chosen range and change the selected segment, as one undo step (Ctrl+Enter; Escape cancels).</source>
        <translation>Den gewählten Bereich segmentieren und das ausgewählte Segment ändern, als ein Schritt, der sich rückgängig machen lässt (Strg+Eingabetaste; Escape bricht ab).</translation>
    </message>
    <message>
        <source>3-D</source>
        <translation>3D</translation>
    </message>
    <message>
        <source>Show the segments as surfaces in the 3-D views, or hide them there.</source>
        <translation>Die Segmente als Oberflächen in den 3D-Ansichten zeigen oder dort ausblenden.</translation>
    </message>
    <message>
        <source>Prompt:</source>
        <translation>Prompt:</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>Das Bild ist:</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>Modell:</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>Hinweise:</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>Kandidaten:</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>Bereich:</translation>
    </message>
    <message>
        <source>Operation:</source>
        <translation>Operation:</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>Schwellenwert:</translation>
    </message>
    <message>
        <source>Overlay:</source>
        <translation>Überlagerung:</translation>
    </message>
    <message>
        <source>threshold {value:.2f}</source>
        <translation>Schwellenwert {value:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.overlay_box</name>
    <message>
        <source>Show over the image how probable each voxel is, how unsure the answer, or where the network looked; of several structures the largest value.</source>
        <translation>Über dem Bild zeigen, wie wahrscheinlich jedes Voxel ist, wie unsicher die Antwort ist oder wohin das Netz geschaut hat; bei mehreren Strukturen der größte Wert.</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>Nichts</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>Unsicherheit</translation>
    </message>
    <message>
        <source>Heat map: where the network looked</source>
        <translation>Heatmap: wohin das Netz geschaut hat</translation>
    </message>
</context>
<context>
    <name>effect.preview</name>
    <message>
        <source>Text prompt preview</source>
        <translation>Textprompt-Vorschau</translation>
    </message>
    <message>
        <source>Text prompt slice</source>
        <translation>Textprompt-Schicht</translation>
    </message>
</context>
<context>
    <name>effect.readiness</name>
    <message>
        <source>Loading the checkpoint... {seconds} s</source>
        <translation>Das Modell wird geladen... {seconds} s</translation>
    </message>
</context>
<context>
    <name>effect.source</name>
    <message>
        <source>No slice view is shown; choose a layout with one.</source>
        <translation>Keine Schichtansicht ist zu sehen; wählen Sie ein Layout mit einer.</translation>
    </message>
    <message>
        <source>The slice view is outside the volume; scroll to the volume.</source>
        <translation>Die Schichtansicht liegt außerhalb des Volumens; blättern Sie zum Volumen.</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>Schreiben Sie, was segmentiert werden soll, zum Beispiel: liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one in the module Text Prompt Segmentation.</source>
        <translation>Kein Modell ist installiert; importieren Sie eines im Modul Textprompt-Segmentierung.</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>Die Lizenz des Modells wurde nicht angenommen.</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>Wählen Sie eine Region von Interesse oder einen anderen Bereich.</translation>
    </message>
</context>
<context>
    <name>panel.batch_section</name>
    <message>
        <source>Batch</source>
        <translation>Stapel</translation>
    </message>
    <message>
        <source>Volumes of the scene</source>
        <translation>Volumen der Szene</translation>
    </message>
    <message>
        <source>Images of a folder</source>
        <translation>Bilder eines Ordners</translation>
    </message>
    <message>
        <source>Folder with images</source>
        <translation>Ordner mit Bildern</translation>
    </message>
    <message>
        <source>Folder for results and summary.csv</source>
        <translation>Ordner für Ergebnisse und summary.csv</translation>
    </message>
    <message>
        <source>Skip images that an earlier run finished</source>
        <translation>Bilder überspringen, die ein früherer Lauf beendet hat</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>ml</source>
        <translation>ml</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>Bemerkung</translation>
    </message>
    <message>
        <source>Use the prompts, checkpoint and threshold chosen above.</source>
        <translation>Prompts, Modell und Schwellenwert von oben verwenden.</translation>
    </message>
    <message>
        <source>Images:</source>
        <translation>Bilder:</translation>
    </message>
    <message>
        <source>Folder:</source>
        <translation>Ordner:</translation>
    </message>
    <message>
        <source>Results:</source>
        <translation>Ergebnisse:</translation>
    </message>
    <message>
        <source>Cancelled; what was finished is in the results folder.</source>
        <translation>Abgebrochen; was fertig wurde, liegt im Ergebnisordner.</translation>
    </message>
    <message>
        <source>done before</source>
        <translation>schon fertig</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>fehlgeschlagen</translation>
    </message>
    <message>
        <source>{done} of {total} images done, {failed} failed.</source>
        <translation>{done} von {total} Bildern fertig, {failed} fehlgeschlagen.</translation>
    </message>
    <message>
        <source>Table: {path}</source>
        <translation>Tabelle: {path}</translation>
    </message>
    <message>
        <source>Choose the folders of the images and of the results.</source>
        <translation>Wählen Sie die Ordner der Bilder und der Ergebnisse.</translation>
    </message>
</context>
<context>
    <name>panel.device_box</name>
    <message>
        <source>Where the network runs. Automatic takes the GPU with most memory.</source>
        <translation>Wo das Netz rechnet. Automatisch nimmt die GPU mit dem meisten Speicher.</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Start the worker and list devices with their free memory.</source>
        <translation>Den Arbeitsprozess starten und die Geräte mit ihrem freien Speicher auflisten.</translation>
    </message>
    <message>
        <source>Unload model</source>
        <translation>Modell entladen</translation>
    </message>
    <message>
        <source>End the worker process; all its memory is given back.</source>
        <translation>Den Arbeitsprozess beenden; sein ganzer Speicher wird freigegeben.</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>{device}, {size} free</source>
        <translation>{device}, {size} frei</translation>
    </message>
    <message>
        <source>A run will need about {size}.</source>
        <translation>Ein Lauf braucht etwa {size}.</translation>
    </message>
    <message>
        <source>A run will need about {size}; {free} are free.</source>
        <translation>Ein Lauf braucht etwa {size}; {free} sind frei.</translation>
    </message>
    <message>
        <source>Choose a smaller range or another device if it fails.</source>
        <translation>Wählen Sie einen kleineren Bereich oder ein anderes Gerät, wenn er fehlschlägt.</translation>
    </message>
</context>
<context>
    <name>panel.models_section</name>
    <message>
        <source>Checkpoints</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Speicher</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
    <message>
        <source>Get this checkpoint; can resume.</source>
        <translation>Dieses Modell holen; kann fortgesetzt werden.</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Compare the sha256 of the weights.</source>
        <translation>Den sha256-Wert der Gewichte vergleichen.</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>Modellkarte</translation>
    </message>
    <message>
        <source>Training data, results, known failures.</source>
        <translation>Trainingsdaten, Ergebnisse, bekannte Fehler.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Delete an imported checkpoint.</source>
        <translation>Ein importiertes Modell löschen.</translation>
    </message>
    <message>
        <source>Import folder...</source>
        <translation>Ordner importieren...</translation>
    </message>
    <message>
        <source>Copy a checkpoint folder.</source>
        <translation>Den Ordner eines Modells kopieren.</translation>
    </message>
    <message>
        <source>Import zip...</source>
        <translation>Zip importieren...</translation>
    </message>
    <message>
        <source>Unpack a checkpoint zip.</source>
        <translation>Das Zip eines Modells entpacken.</translation>
    </message>
    <message>
        <source>Import weights...</source>
        <translation>Gewichte importieren...</translation>
    </message>
    <message>
        <source>Make a checkpoint of a file of weights that others publish.</source>
        <translation>Aus einer Datei mit Gewichten, die andere veröffentlichen, ein Modell machen.</translation>
    </message>
    <message>
        <source>Whose weights the file holds; nothing is guessed from its name.</source>
        <translation>Wessen Gewichte die Datei enthält; aus ihrem Namen wird nichts erraten.</translation>
    </message>
    <message>
        <source>Change folder...</source>
        <translation>Ordner wechseln...</translation>
    </message>
    <message>
        <source>Keep imported and downloaded checkpoints elsewhere; what is there is not moved.</source>
        <translation>Importierte und heruntergeladene Modelle anderswo aufbewahren; was da ist, wird nicht verschoben.</translation>
    </message>
    <message>
        <source>Imported checkpoints are kept in {folder}</source>
        <translation>Importierte Modelle liegen in {folder}</translation>
    </message>
    <message>
        <source>shipped</source>
        <translation>mitgeliefert</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>importiert</translation>
    </message>
    <message>
        <source>download</source>
        <translation>herunterladbar</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>beschädigt</translation>
    </message>
    <message>
        <source>{name} is installed; its sha256 is right.</source>
        <translation>{name} ist installiert; der sha256-Wert stimmt.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Folder of a checkpoint</source>
        <translation>Ordner eines Modells</translation>
    </message>
    <message>
        <source>Zip of a checkpoint</source>
        <translation>Zip eines Modells</translation>
    </message>
    <message>
        <source>File of weights</source>
        <translation>Datei mit Gewichten</translation>
    </message>
    <message>
        <source>{name} was imported.</source>
        <translation>{name} wurde importiert.</translation>
    </message>
    <message>
        <source>Folder for checkpoints</source>
        <translation>Ordner für Modelle</translation>
    </message>
    <message>
        <source>Delete the checkpoint '{name}' from this computer?</source>
        <translation>Das Modell „{name}“ von diesem Rechner löschen?</translation>
    </message>
    <message>
        <source>{name} was deleted.</source>
        <translation>{name} wurde gelöscht.</translation>
    </message>
    <message>
        <source>This checkpoint has no model card.</source>
        <translation>Dieses Modell hat keine Modellkarte.</translation>
    </message>
    <message>
        <source>Download '{title}' ({size})?

Licence: {licence}
{line}</source>
        <translation>„{title}“ herunterladen ({size})?

Lizenz: {licence}
{line}</translation>
    </message>
    <message>
        <source>Download a checkpoint</source>
        <translation>Modell herunterladen</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>Abgebrochen.</translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation>{names} und {count} weitere</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>beliebige Wörter (offener Wortschatz)</translation>
    </message>
    <message>
        <source>Trained on: {prompts}</source>
        <translation>Trainiert auf: {prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>nicht angegeben</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>Gemessen: {tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>Lizenz: {licence}</translation>
    </message>
</context>
<context>
    <name>panel.panel</name>
    <message>
        <source>The console call is on the clipboard.</source>
        <translation>Der Konsolenaufruf liegt in der Zwischenablage.</translation>
    </message>
    <message>
        <source>Undone.</source>
        <translation>Rückgängig gemacht.</translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation>Es gibt nichts rückgängig zu machen.</translation>
    </message>
    <message>
        <source>{count} candidates were added as segments.</source>
        <translation>{count} Kandidaten wurden als Segmente hinzugefügt.</translation>
    </message>
    <message>
        <source>No volume is selected; load or choose one first.</source>
        <translation>Kein Volumen ist ausgewählt; laden oder wählen Sie zuerst eines.</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>Schreiben Sie, was segmentiert werden soll, zum Beispiel: liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one under Checkpoints.</source>
        <translation>Kein Modell ist installiert; importieren Sie eines unter Modelle.</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>Die Lizenz des Modells wurde nicht angenommen.</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>Wählen Sie eine Region von Interesse oder einen anderen Bereich.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>Abgebrochen; nichts wurde geändert.</translation>
    </message>
    <message>
        <source>{count} frames were segmented.</source>
        <translation>{count} Zeitpunkte wurden segmentiert.</translation>
    </message>
</context>
<context>
    <name>panel.results_section</name>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>max p</source>
        <translation>max. p</translation>
    </message>
    <message>
        <source>s</source>
        <translation>s</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Show the probability of the selected row over the image, as a volume.</source>
        <translation>Die Wahrscheinlichkeit der ausgewählten Zeile als Volumen über dem Bild zeigen.</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>Unsicherheit</translation>
    </message>
    <message>
        <source>Show where the answer of the selected row is unsure, as a volume.</source>
        <translation>Als Volumen zeigen, wo die Antwort der ausgewählten Zeile unsicher ist.</translation>
    </message>
    <message>
        <source>Heat map</source>
        <translation>Heatmap</translation>
    </message>
    <message>
        <source>Show where the network looked for the selected row, as a volume.</source>
        <translation>Als Volumen zeigen, wohin das Netz für die ausgewählte Zeile geschaut hat.</translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation>Kandidaten</translation>
    </message>
    <message>
        <source>Add every candidate of the selected row as a segment, to choose from.</source>
        <translation>Jeden Kandidaten der ausgewählten Zeile als Segment hinzufügen, zur Auswahl.</translation>
    </message>
    <message>
        <source>Copy as Python</source>
        <translation>Als Python kopieren</translation>
    </message>
    <message>
        <source>Put the console call that does the same on the clipboard.</source>
        <translation>Den Konsolenaufruf, der dasselbe tut, in die Zwischenablage legen.</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>Tabelle kopieren</translation>
    </message>
    <message>
        <source>Put the table with sizes and outcomes on the clipboard, for a spreadsheet.</source>
        <translation>Die Tabelle mit Größen und Ergebnissen in die Zwischenablage legen, für eine Tabellenkalkulation.</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>Statistik</translation>
    </message>
    <message>
        <source>Compute volumes and intensities of all segments into a Segment Statistics table.</source>
        <translation>Volumen und Intensitäten aller Segmente in eine Tabelle der Segmentstatistiken berechnen.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Take back the last run of this panel.</source>
        <translation>Den letzten Lauf dieses Moduls zurücknehmen.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Show the middle of this structure in the slice views.</source>
        <translation>Die Mitte dieser Struktur in den Schichtansichten zeigen.</translation>
    </message>
    <message>
        <source>Volume (ml)</source>
        <translation>Volumen (ml)</translation>
    </message>
    <message>
        <source>Voxels</source>
        <translation>Voxel</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>Bemerkung</translation>
    </message>
    <message>
        <source>{name} statistics</source>
        <translation>{name} Statistik</translation>
    </message>
    <message>
        <source>{outcome}, unusual</source>
        <translation>{outcome}, ungewöhnlich</translation>
    </message>
    <message>
        <source>found</source>
        <translation>gefunden</translation>
    </message>
    <message>
        <source>below threshold</source>
        <translation>unter dem Schwellenwert</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>nicht gefunden</translation>
    </message>
    <message>
        <source>not trained</source>
        <translation>nicht trainiert</translation>
    </message>
</context>
<context>
    <name>panel.scene_batch</name>
    <message>
        <source>It was deleted.</source>
        <translation>Es wurde gelöscht.</translation>
    </message>
    <message>
        <source>Image {number} of {count}: {progress}</source>
        <translation>Bild {number} von {count}: {progress}</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>Abgebrochen.</translation>
    </message>
</context>
<context>
    <name>panel.segment_section</name>
    <message>
        <source>Segment</source>
        <translation>Segmentieren</translation>
    </message>
    <message>
        <source>The image; a sequence is segmented frame by frame.</source>
        <translation>Das Bild; eine Sequenz wird Zeitpunkt für Zeitpunkt segmentiert.</translation>
    </message>
    <message>
        <source>All frames of the sequence</source>
        <translation>Alle Zeitpunkte der Sequenz</translation>
    </message>
    <message>
        <source>One structure per line, or several with commas</source>
        <translation>Eine Struktur je Zeile oder mehrere mit Kommas</translation>
    </message>
    <message>
        <source>One answer</source>
        <translation>Eine Antwort</translation>
    </message>
    <message>
        <source>How many plausible answers to draw; the result is their mean, with its uncertainty.</source>
        <translation>Wie viele plausible Antworten gezogen werden; das Ergebnis ist ihr Mittel mit seiner Unsicherheit.</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>Kandidaten:</translation>
    </message>
    <message>
        <source>Segments are added to it; its own segments stay as they are.</source>
        <translation>Segmente werden ihr hinzugefügt; ihre eigenen Segmente bleiben, wie sie sind.</translation>
    </message>
    <message>
        <source>Create new segmentation</source>
        <translation>Neue Segmentierung anlegen</translation>
    </message>
    <message>
        <source>Segment the image; the window stays free meanwhile.</source>
        <translation>Das Bild segmentieren; das Fenster bleibt dabei frei.</translation>
    </message>
    <message>
        <source>Input volume:</source>
        <translation>Eingangsvolumen:</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>Das Bild ist:</translation>
    </message>
    <message>
        <source>Prompts:</source>
        <translation>Prompts:</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>Modell:</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>Hinweise:</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>Bereich:</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>Schwellenwert:</translation>
    </message>
    <message>
        <source>Device:</source>
        <translation>Gerät:</translation>
    </message>
    <message>
        <source>Output:</source>
        <translation>Ausgabe:</translation>
    </message>
</context>
<context>
    <name>panel.sequence_run</name>
    <message>
        <source>Frame {number} of {count}: {progress}</source>
        <translation>Zeitpunkt {number} von {count}: {progress}</translation>
    </message>
</context>
<context>
    <name>panel.setup_section</name>
    <message>
        <source>Dependencies</source>
        <translation>Abhängigkeiten</translation>
    </message>
    <message>
        <source>Install</source>
        <translation>Installieren</translation>
    </message>
    <message>
        <source>Folder with wheels, to install without a network</source>
        <translation>Ordner mit Wheels, um ohne Netzwerk zu installieren</translation>
    </message>
    <message>
        <source>Slicer's own Python</source>
        <translation>Slicers eigenes Python</translation>
    </message>
    <message>
        <source>Another Python interpreter with textpromptseg installed, to run the worker in.</source>
        <translation>Ein anderer Python-Interpreter mit installiertem textpromptseg, in dem der Arbeitsprozess läuft.</translation>
    </message>
    <message>
        <source>Offline:</source>
        <translation>Offline:</translation>
    </message>
    <message>
        <source>Interpreter:</source>
        <translation>Interpreter:</translation>
    </message>
    <message>
        <source>The last installation was not finished; press Install to go on.</source>
        <translation>Die letzte Installation wurde nicht beendet; drücken Sie Installieren, um fortzufahren.</translation>
    </message>
    <message>
        <source>Folder with wheels</source>
        <translation>Ordner mit Wheels</translation>
    </message>
</context>
<context>
    <name>shared.dependencies</name>
    <message>
        <source>There is no program '{path}'; choose a Python interpreter.</source>
        <translation>Es gibt kein Programm „{path}“; wählen Sie einen Python-Interpreter.</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python: {error}.</source>
        <translation>„{path}“ läuft nicht als Python: {error}.</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python.</source>
        <translation>„{path}“ läuft nicht als Python.</translation>
    </message>
    <message>
        <source>'{path}' lacks {names}; install textpromptseg there.</source>
        <translation>In „{path}“ fehlen {names}; installieren Sie dort textpromptseg.</translation>
    </message>
    <message>
        <source>Segmenting needs these Python packages first: {names}. &lt;a href="install"&gt;Open the module Text Prompt Segmentation&lt;/a&gt; and press Install.</source>
        <translation>Zum Segmentieren werden zuerst diese Python-Pakete gebraucht: {names}. &lt;a href="install"&gt;Öffnen Sie das Modul Textprompt-Segmentierung&lt;/a&gt; und drücken Sie Installieren.</translation>
    </message>
    <message>
        <source>Everything is installed.</source>
        <translation>Alles ist installiert.</translation>
    </message>
    <message>
        <source>about {size} MB</source>
        <translation>etwa {size} MB</translation>
    </message>
    <message>
        <source>about {cpu} MB; with a CUDA graphics card up to {gpu} MB</source>
        <translation>etwa {cpu} MB; mit einer CUDA-Grafikkarte bis zu {gpu} MB</translation>
    </message>
    <message>
        <source>Install will download into Slicer's Python:
{list}</source>
        <translation>Installieren lädt in Slicers Python herunter:
{list}</translation>
    </message>
    <message>
        <source>The folder '{folder}' does not exist.</source>
        <translation>Den Ordner „{folder}“ gibt es nicht.</translation>
    </message>
    <message>
        <source>Installing PyTorch...</source>
        <translation>PyTorch wird installiert...</translation>
    </message>
    <message>
        <source>Installing {names}...</source>
        <translation>{names} werden installiert...</translation>
    </message>
    <message>
        <source>The installation stopped: {reason}. What is already installed stays; press Install to go on, or choose a folder with wheels when there is no network.</source>
        <translation>Die Installation brach ab: {reason}. Was schon installiert ist, bleibt; drücken Sie Installieren, um fortzufahren, oder wählen Sie einen Ordner mit Wheels, wenn es kein Netzwerk gibt.</translation>
    </message>
    <message>
        <source>Still missing: {names}. Restart Slicer and press Install again.</source>
        <translation>Es fehlen noch: {names}. Starten Sie Slicer neu und drücken Sie Installieren noch einmal.</translation>
    </message>
    <message>
        <source>The extension PyTorch is needed to install torch for this computer; install it with the Extensions Manager, restart Slicer and press Install again.</source>
        <translation>Die Erweiterung PyTorch wird gebraucht, um torch für diesen Rechner zu installieren; installieren Sie sie mit dem Erweiterungsmanager, starten Sie Slicer neu und drücken Sie Installieren noch einmal.</translation>
    </message>
    <message>
        <source>PyTorch was not installed; press Install to try again.</source>
        <translation>PyTorch wurde nicht installiert; drücken Sie Installieren, um es noch einmal zu versuchen.</translation>
    </message>
</context>
<context>
    <name>shared.overlays</name>
    <message>
        <source>probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>uncertainty</source>
        <translation>Unsicherheit</translation>
    </message>
    <message>
        <source>heat map</source>
        <translation>Heatmap</translation>
    </message>
    <message>
        <source>Text prompt {map}</source>
        <translation>Textprompt {map}</translation>
    </message>
</context>
<context>
    <name>shared.quality_words</name>
    <message>
        <source>good</source>
        <translation>gut</translation>
    </message>
    <message>
        <source>fair</source>
        <translation>mäßig</translation>
    </message>
    <message>
        <source>experimental</source>
        <translation>experimentell</translation>
    </message>
    <message>
        <source>{tier}, Dice {dice} in {count} cases</source>
        <translation>{tier}, Dice {dice} in {count} Fällen</translation>
    </message>
</context>
<context>
    <name>shared.runs</name>
    <message>
        <source>{step}...</source>
        <translation>{step}...</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>Beginnt...</translation>
    </message>
    <message>
        <source>{percent} %</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>{progress}, about {time} left</source>
        <translation>{progress}, noch etwa {time}</translation>
    </message>
    <message>
        <source>Computed on {device} in {time:.1f} s.</source>
        <translation>Berechnet auf {device} in {time:.1f} s.</translation>
    </message>
    <message>
        <source>Memory ran out, so it {steps}.</source>
        <translation>Der Speicher ging aus, deshalb: {steps}.</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} s</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} min {seconds} s</translation>
    </message>
</context>
</TS>

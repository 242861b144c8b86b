<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="es" sourcelanguage="en">
<context>
    <name>TextPromptSeg</name>
    <message>
        <source>Text Prompt Segmentation</source>
        <translation>Segmentación por texto</translation>
    </message>
    <message>
        <source>Segment structures in CT, MR and X-ray images by typing what to segment. The same is available as the effect 'Text prompt' of Segment Editor. Results are suggestions for research and must be checked; they are not for diagnosis.</source>
        <translation>Segmentar estructuras en imágenes de TC, RM y radiografía escribiendo qué segmentar. Lo mismo existe como efecto «Indicación de texto» del Editor de Segmento. Los resultados son sugerencias para la investigación y deben comprobarse; no sirven para el diagnóstico.</translation>
    </message>
    <message>
        <source>Each checkpoint's card names the paper behind it, its training data and its licence.</source>
        <translation>La ficha de cada modelo indica la publicación de la que procede, los datos de entrenamiento y la licencia.</translation>
    </message>
</context>
<context>
    <name>TextPromptSegEffect.SegmentEditorEffect</name>
    <message>
        <source>Text prompt</source>
        <translation>Indicación de texto</translation>
    </message>
    <message>
        <source>&lt;html&gt;Segment by typing what to segment, for example &lt;i&gt;left kidney, spleen&lt;/i&gt;.&lt;br&gt;&lt;b&gt;Preview&lt;/b&gt; shows the current slice, &lt;b&gt;Threshold&lt;/b&gt; adjusts it, &lt;b&gt;Apply&lt;/b&gt; changes the selected segment in one undo step; masking options are honoured.&lt;p&gt;Keys:&lt;br&gt;{keys}&lt;p&gt;Results are suggestions for research and must be checked.&lt;/html&gt;</source>
        <translation>&lt;html&gt;Segmentar escribiendo qué segmentar, por ejemplo &lt;i&gt;left kidney, spleen&lt;/i&gt;.&lt;br&gt;&lt;b&gt;Vista previa&lt;/b&gt; muestra el corte actual, &lt;b&gt;Umbral&lt;/b&gt; lo ajusta, &lt;b&gt;Aplicar&lt;/b&gt; cambia el segmento seleccionado en un solo paso que se puede deshacer; se respetan las opciones de enmascaramiento.&lt;p&gt;Teclas:&lt;br&gt;{keys}&lt;p&gt;Los resultados son sugerencias para la investigación y deben comprobarse.&lt;/html&gt;</translation>
    </message>
</context>
<context>
    <name>boxes.candidates_box</name>
    <message>
        <source>One answer</source>
        <translation>Una respuesta</translation>
    </message>
    <message>
        <source> candidates</source>
        <translation> candidatos</translation>
    </message>
    <message>
        <source>Show the candidate before; Apply takes the one that is shown.</source>
        <translation>Mostrar el candidato anterior; Aplicar toma el que se muestra.</translation>
    </message>
    <message>
        <source>Show the next candidate; Apply takes the one that is shown.</source>
        <translation>Mostrar el candidato siguiente; Aplicar toma el que se muestra.</translation>
    </message>
    <message>
        <source>How many plausible answers to draw. First their mean is shown; the arrows flip.</source>
        <translation>Cuántas respuestas plausibles generar. Primero se muestra su media; las flechas pasan de una a otra.</translation>
    </message>
    <message>
        <source>This checkpoint gives one answer; choose one that draws candidates (the section Checkpoints of the module says which do).</source>
        <translation>Este modelo da una sola respuesta; elija uno que genere candidatos (la sección Modelos del módulo dice cuáles).</translation>
    </message>
    <message>
        <source>not drawn yet</source>
        <translation>aún no generado</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} de {count}</translation>
    </message>
    <message>
        <source>mean of {count}</source>
        <translation>media de {count}</translation>
    </message>
    <message>
        <source>candidate {number} of {count}, {size}</source>
        <translation>candidato {number} de {count}, {size}</translation>
    </message>
    <message>
        <source>candidate {number} of {count} is empty</source>
        <translation>el candidato {number} de {count} está vacío</translation>
    </message>
</context>
<context>
    <name>boxes.hints_box</name>
    <message>
        <source>Box</source>
        <translation>Caja</translation>
    </message>
    <message>
        <source>Choose or draw a box</source>
        <translation>Elegir o dibujar una caja</translation>
    </message>
    <message>
        <source>Inside</source>
        <translation>Dentro</translation>
    </message>
    <message>
        <source>Points on it</source>
        <translation>Puntos en la estructura</translation>
    </message>
    <message>
        <source>Outside</source>
        <translation>Fuera</translation>
    </message>
    <message>
        <source>Points beside it</source>
        <translation>Puntos fuera de ella</translation>
    </message>
    <message>
        <source>A box around the structure. It tells the network where to look; the range, in contrast, only cuts off what lies outside.</source>
        <translation>Una caja alrededor de la estructura. Indica a la red dónde mirar; el ámbito, en cambio, solo recorta lo que queda fuera.</translation>
    </message>
    <message>
        <source>Points or a scribble on the structure. A point whose name begins with '-' lies beside it.</source>
        <translation>Puntos o un trazo sobre la estructura. Un punto cuyo nombre empieza por «-» está fuera de ella.</translation>
    </message>
    <message>
        <source>Points or a scribble beside the structure; may be left out.</source>
        <translation>Puntos o un trazo fuera de la estructura; opcional.</translation>
    </message>
    <message>
        <source>Two passes</source>
        <translation>Dos pasadas</translation>
    </message>
    <message>
        <source>Find a box by the text first, then ask again with that box.</source>
        <translation>Encontrar primero una caja con el texto y preguntar después otra vez con esa caja.</translation>
    </message>
    <message>
        <source>Slice to slice</source>
        <translation>De corte en corte</translation>
    </message>
    <message>
        <source>Give each slice the box of what was found in the slice before.</source>
        <translation>Dar a cada corte la caja de lo encontrado en el corte anterior.</translation>
    </message>
    <message>
        <source>Start from the segment</source>
        <translation>Partir del segmento</translation>
    </message>
    <message>
        <source>Box and points make the selected segment better instead of asking anew: its mask goes into the network, or where that takes none the box around it on each slice.</source>
        <translation>La caja y los puntos mejoran el segmento seleccionado en vez de preguntar de nuevo: su máscara entra en la red o, si esta no admite ninguna, la caja que la rodea en cada corte.</translation>
    </message>
    <message>
        <source>Choose or draw a box, or set the hints to text alone.</source>
        <translation>Elija o dibuje una caja, o ponga las ayudas en solo texto.</translation>
    </message>
    <message>
        <source>Choose or place points, or set the hints to text alone.</source>
        <translation>Elija o coloque puntos, o ponga las ayudas en solo texto.</translation>
    </message>
    <message>
        <source>Text alone</source>
        <translation>Solo texto</translation>
    </message>
    <message>
        <source>Text and a box</source>
        <translation>Texto y una caja</translation>
    </message>
    <message>
        <source>Text and points</source>
        <translation>Texto y puntos</translation>
    </message>
    <message>
        <source>Text, a box and points</source>
        <translation>Texto, una caja y puntos</translation>
    </message>
    <message>
        <source>What helps the network to find the structure, beside the text.</source>
        <translation>Lo que ayuda a la red a encontrar la estructura, además del texto.</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points (the section Checkpoints of the module says which do).</source>
        <translation>Este modelo solo atiende al texto; elija uno que admita cajas o puntos (la sección Modelos del módulo dice cuáles).</translation>
    </message>
</context>
<context>
    <name>boxes.markups_box</name>
    <message>
        <source>Draw</source>
        <translation>Dibujar</translation>
    </message>
    <message>
        <source>Draw in a slice view; press Escape to end.</source>
        <translation>Dibujar en una vista de corte; Escape para terminar.</translation>
    </message>
    <message>
        <source>Scribble</source>
        <translation>Trazo</translation>
    </message>
    <message>
        <source>Draw a line on the structure, click by click; a right click or Escape ends it. The network gets points along it.</source>
        <translation>Dibujar una línea sobre la estructura, clic a clic; un clic derecho o Escape la termina. La red recibe puntos a lo largo de ella.</translation>
    </message>
</context>
<context>
    <name>boxes.modality_box</name>
    <message>
        <source>The grey values are scaled for the network by what the image is. After a run the outcome says what it was taken for; correct it here.</source>
        <translation>Los niveles de gris se escalan para la red según lo que sea la imagen. Tras un cálculo, el resultado dice por qué se la tomó; corríjalo aquí.</translation>
    </message>
    <message>
        <source>As the image says</source>
        <translation>Como dice la imagen</translation>
    </message>
    <message>
        <source>CT</source>
        <translation>TC</translation>
    </message>
    <message>
        <source>MR</source>
        <translation>RM</translation>
    </message>
    <message>
        <source>X-ray</source>
        <translation>Radiografía</translation>
    </message>
</context>
<context>
    <name>boxes.model_box</name>
    <message>
        <source>Checkpoint: the trained network that answers the prompt.</source>
        <translation>Modelo: la red entrenada que responde a la indicación.</translation>
    </message>
    <message>
        <source>No checkpoint is installed</source>
        <translation>No hay ningún modelo instalado</translation>
    </message>
    <message>
        <source>The checkpoint '{title}' may only be used under this licence:

{licence}
{line}

Use it under this licence?</source>
        <translation>El modelo «{title}» solo se puede usar con esta licencia:

{licence}
{line}

¿Usarlo con esta licencia?</translation>
    </message>
    <message>
        <source>Licence of the checkpoint</source>
        <translation>Licencia del modelo</translation>
    </message>
    <message>
        <source>Images: {modalities}; slices: {planes}; {prompts}</source>
        <translation>Imágenes: {modalities}; cortes: {planes}; {prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>no indicado</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>cualquier palabra (vocabulario abierto)</translation>
    </message>
    <message>
        <source>{count} trained prompts</source>
        <translation>{count} indicaciones entrenadas</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>Medido: {tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>Licencia: {licence}</translation>
    </message>
    <message>
        <source>Size {size}, memory about {memory}</source>
        <translation>Tamaño {size}, memoria unos {memory}</translation>
    </message>
    <message>
        <source>boxes</source>
        <translation>cajas</translation>
    </message>
    <message>
        <source>points</source>
        <translation>puntos</translation>
    </message>
    <message>
        <source>masks</source>
        <translation>máscaras</translation>
    </message>
    <message>
        <source>draws candidates</source>
        <translation>genera candidatos</translation>
    </message>
    <message>
        <source>shows where it looked</source>
        <translation>muestra dónde miró</translation>
    </message>
    <message>
        <source>Takes: {what}</source>
        <translation>Admite: {what}</translation>
    </message>
    <message>
        <source>text</source>
        <translation>texto</translation>
    </message>
</context>
<context>
    <name>boxes.parse_view</name>
    <message>
        <source>How the prompt was understood. Click a name to change it.</source>
        <translation>Cómo se entendió la indicación. Haga clic en un nombre para cambiarlo.</translation>
    </message>
    <message>
        <source>Use '{name}'</source>
        <translation>Usar «{name}»</translation>
    </message>
    <message>
        <source>Ask the network in these words</source>
        <translation>Preguntar a la red con estas palabras</translation>
    </message>
    <message>
        <source>Whole '{name}'</source>
        <translation>«{name}» completo</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Quitar</translation>
    </message>
</context>
<context>
    <name>boxes.region_box</name>
    <message>
        <source>Part of the image that Apply segments; nothing is found outside.</source>
        <translation>Parte de la imagen que Aplicar segmenta; fuera de ella no se encuentra nada.</translation>
    </message>
    <message>
        <source>Current slice</source>
        <translation>Corte actual</translation>
    </message>
    <message>
        <source>Slice range</source>
        <translation>Intervalo de cortes</translation>
    </message>
    <message>
        <source>Region of interest</source>
        <translation>Región de interés</translation>
    </message>
    <message>
        <source>Whole volume</source>
        <translation>Volumen completo</translation>
    </message>
    <message>
        <source>from</source>
        <translation>desde</translation>
    </message>
    <message>
        <source>to</source>
        <translation>hasta</translation>
    </message>
    <message>
        <source>Region</source>
        <translation>Región</translation>
    </message>
    <message>
        <source>Choose or draw a region of interest</source>
        <translation>Elegir o dibujar una región de interés</translation>
    </message>
</context>
<context>
    <name>boxes.run_bar</name>
    <message>
        <source>Apply</source>
        <translation>Aplicar</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Cancelar</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>Iniciando...</translation>
    </message>
</context>
<context>
    <name>boxes.threshold_box</name>
    <message>
        <source>Probability from which a voxel belongs to the structure. Moving it needs no new run.</source>
        <translation>Probabilidad a partir de la cual un vóxel pertenece a la estructura. Moverla no requiere otro cálculo.</translation>
    </message>
    <message>
        <source>Auto</source>
        <translation>Auto</translation>
    </message>
    <message>
        <source>Use the threshold that the checkpoint was tuned for.</source>
        <translation>Usar el umbral para el que se ajustó el modelo.</translation>
    </message>
    <message>
        <source>A candidate is drawn at the checkpoint's threshold; flip to the mean to move it.</source>
        <translation>Un candidato se dibuja con el umbral del modelo; pase a la media para moverlo.</translation>
    </message>
</context>
<context>
    <name>effect.controller</name>
    <message>
        <source>There is no segment yet; press Apply first.</source>
        <translation>Aún no hay ningún segmento; pulse primero Aplicar.</translation>
    </message>
    <message>
        <source>Select a segment that was made by a text prompt, then press Again.</source>
        <translation>Seleccione un segmento creado con una indicación de texto y pulse después Otra vez.</translation>
    </message>
    <message>
        <source>Prompt, checkpoint and threshold are those of the selected segment.</source>
        <translation>La indicación, el modelo y el umbral son los del segmento seleccionado.</translation>
    </message>
    <message>
        <source>The next run starts from it: place points, or draw a box.</source>
        <translation>El próximo cálculo parte de él: coloque puntos o dibuje una caja.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>Cancelado; no se cambió nada.</translation>
    </message>
    <message>
        <source>The segmentation was deleted during the run; nothing was changed.</source>
        <translation>La segmentación se eliminó durante el cálculo; no se cambió nada.</translation>
    </message>
    <message>
        <source>Another segmentation or volume was selected meanwhile; nothing was written.</source>
        <translation>Entretanto se seleccionó otra segmentación u otro volumen; no se escribió nada.</translation>
    </message>
    <message>
        <source>probably {name} is outside this field of view</source>
        <translation>probablemente {name} está fuera de este campo de visión</translation>
    </message>
</context>
<context>
    <name>effect.fold</name>
    <message>
        <source>Options</source>
        <translation>Opciones</translation>
    </message>
    <message>
        <source>Changed: {list}</source>
        <translation>Cambiado: {list}</translation>
    </message>
</context>
<context>
    <name>effect.hand_keys</name>
    <message>
        <source>Enter</source>
        <translation>Intro</translation>
    </message>
    <message>
        <source>preview</source>
        <translation>vista previa</translation>
    </message>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Ctrl+Intro</translation>
    </message>
    <message>
        <source>apply</source>
        <translation>aplicar</translation>
    </message>
    <message>
        <source>Escape</source>
        <translation>Escape</translation>
    </message>
    <message>
        <source>end drawing, cancel a run, switch the preview off</source>
        <translation>terminar el dibujo, cancelar un cálculo, desactivar la vista previa</translation>
    </message>
    <message>
        <source>draw a box</source>
        <translation>dibujar una caja</translation>
    </message>
    <message>
        <source>set points</source>
        <translation>colocar puntos</translation>
    </message>
    <message>
        <source>points on the structure or beside it</source>
        <translation>puntos en la estructura o fuera de ella</translation>
    </message>
    <message>
        <source>next segment</source>
        <translation>segmento siguiente</translation>
    </message>
    <message>
        <source>Draw in a slice view (key B); press Escape to end.</source>
        <translation>Dibujar en una vista de corte (tecla B); Escape para terminar.</translation>
    </message>
    <message>
        <source>Set points in a slice view (key O; T changes between points on the structure and beside it); press Escape to end.</source>
        <translation>Colocar puntos en una vista de corte (tecla O; T alterna entre puntos en la estructura y fuera de ella); Escape para terminar.</translation>
    </message>
    <message>
        <source>The next points lie on the structure.</source>
        <translation>Los próximos puntos están en la estructura.</translation>
    </message>
    <message>
        <source>The next points lie beside the structure.</source>
        <translation>Los próximos puntos están fuera de la estructura.</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points.</source>
        <translation>Este modelo solo atiende al texto; elija uno que admita cajas o puntos.</translation>
    </message>
</context>
<context>
    <name>effect.live_preview</name>
    <message>
        <source>Preview: a third by height needs the whole image, which is searched once...</source>
        <translation>Vista previa: un tercio en altura necesita la imagen completa, que se recorre una vez...</translation>
    </message>
    <message>
        <source>Preview...</source>
        <translation>Vista previa...</translation>
    </message>
    <message>
        <source>axial</source>
        <translation>axial</translation>
    </message>
    <message>
        <source>coronal</source>
        <translation>coronal</translation>
    </message>
    <message>
        <source>sagittal</source>
        <translation>sagital</translation>
    </message>
    <message>
        <source>Previewed on the {plane} slice {number} of {count}, which no view shows: the line shows where it lies.</source>
        <translation>Vista previa en el corte {plane} {number} de {count}, que ninguna vista muestra: la línea indica dónde está.</translation>
    </message>
    <message>
        <source>{name}, candidate {number}</source>
        <translation>{name}, candidato {number}</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice</source>
        <translation>{name}: {area:.1f} cm² en este corte</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice, max p {p:.2f}</source>
        <translation>{name}: {area:.1f} cm² en este corte, p máx. {p:.2f}</translation>
    </message>
    <message>
        <source>{name}: not on this slice, max p {p:.2f}</source>
        <translation>{name}: no está en este corte, p máx. {p:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.names_menu</name>
    <message>
        <source>Names</source>
        <translation>Nombres</translation>
    </message>
    <message>
        <source>What this checkpoint knows well: everything, the organs of a region, or one by one.</source>
        <translation>Lo que este modelo conoce bien: todo, los órganos de una región, o uno a uno.</translation>
    </message>
    <message>
        <source>Everything ({count})</source>
        <translation>Todo ({count})</translation>
    </message>
    <message>
        <source>{region} ({count})</source>
        <translation>{region} ({count})</translation>
    </message>
    <message>
        <source>All organs of the region</source>
        <translation>Todos los órganos de la región</translation>
    </message>
    <message>
        <source>Other ({count})</source>
        <translation>Otros ({count})</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>Cabeza</translation>
    </message>
    <message>
        <source>Neck</source>
        <translation>Cuello</translation>
    </message>
    <message>
        <source>Chest</source>
        <translation>Tórax</translation>
    </message>
    <message>
        <source>Abdomen</source>
        <translation>Abdomen</translation>
    </message>
    <message>
        <source>Pelvis</source>
        <translation>Pelvis</translation>
    </message>
    <message>
        <source>Limbs</source>
        <translation>Extremidades</translation>
    </message>
</context>
<context>
    <name>effect.options</name>
    <message>
        <source>What to segment, for example "left kidney, spleen"</source>
        <translation>Qué segmentar, por ejemplo «left kidney, spleen»</translation>
    </message>
    <message>
        <source>Names, synonyms, sides, thirds and lists are understood: 'upper left lung', 'liver without tumor'. Press Enter to preview. The prompt is saved with the scene.</source>
        <translation>Se entienden nombres, sinónimos, lados, tercios y listas: «upper left lung», «liver without tumor». Pulse Intro para la vista previa. La indicación se guarda con la escena.</translation>
    </message>
    <message>
        <source>Again</source>
        <translation>Otra vez</translation>
    </message>
    <message>
        <source>Take prompt, checkpoint and threshold from the selected segment, to run them again; with a box or points the next run starts from its mask.</source>
        <translation>Tomar la indicación, el modelo y el umbral del segmento seleccionado para volver a calcular; con una caja o puntos, el próximo cálculo parte de su máscara.</translation>
    </message>
    <message>
        <source>What happens to the selected segment. With 'Set', several structures become several segments; the other operations use them together.</source>
        <translation>Qué ocurre con el segmento seleccionado. Con «Establecer», varias estructuras se convierten en varios segmentos; las demás operaciones las usan juntas.</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Establecer</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Añadir</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Quitar</translation>
    </message>
    <message>
        <source>Intersect</source>
        <translation>Intersecar</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>Vista previa</translation>
    </message>
    <message>
        <source>Show the result on the current slice (Enter in the prompt line). It follows the slice, the prompt and the threshold until it is switched off (Escape).</source>
        <translation>Mostrar el resultado en el corte actual (Intro en la línea de la indicación). Sigue al corte, a la indicación y al umbral hasta que se desactiva (Escape).</translation>
    </message>
    <message>
        <source>Segment the chosen range and change the selected segment, as one undo step (Ctrl+Enter; Escape cancels).</source>
        <translation>Segmentar el ámbito elegido y cambiar el segmento seleccionado, en un solo paso que se puede deshacer (Ctrl+Intro; Escape cancela).</translation>
    </message>
    <message>
        <source>3-D</source>
        <translation>3D</translation>
    </message>
    <message>
        <source>Show the segments as surfaces in the 3-D views, or hide them there.</source>
        <translation>Mostrar los segmentos como superficies en las vistas 3D, u ocultarlos allí.</translation>
    </message>
    <message>
        <source>Prompt:</source>
        <translation>Indicación:</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>La imagen es:</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>Modelo:</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>Ayudas:</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>Candidatos:</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>Ámbito:</translation>
    </message>
    <message>
        <source>Operation:</source>
        <translation>Operación:</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>Umbral:</translation>
    </message>
    <message>
        <source>Overlay:</source>
        <translation>Superposición:</translation>
    </message>
    <message>
        <source>threshold {value:.2f}</source>
        <translation>umbral {value:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.overlay_box</name>
    <message>
        <source>Show over the image how probable each voxel is, how unsure the answer, or where the network looked; of several structures the largest value.</source>
        <translation>Mostrar sobre la imagen lo probable que es cada vóxel, lo insegura que es la respuesta o dónde miró la red; de varias estructuras, el valor mayor.</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>Nada</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Probabilidad</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>Incertidumbre</translation>
    </message>
    <message>
        <source>Heat map: where the network looked</source>
        <translation>Mapa de calor: dónde miró la red</translation>
    </message>
</context>
<context>
    <name>effect.preview</name>
    <message>
        <source>Text prompt preview</source>
        <translation>Vista previa de la indicación de texto</translation>
    </message>
    <message>
        <source>Text prompt slice</source>
        <translation>Corte de la indicación de texto</translation>
    </message>
</context>
<context>
    <name>effect.readiness</name>
    <message>
        <source>Loading the checkpoint... {seconds} s</source>
        <translation>Cargando el modelo... {seconds} s</translation>
    </message>
</context>
<context>
    <name>effect.source</name>
    <message>
        <source>No slice view is shown; choose a layout with one.</source>
        <translation>No se muestra ninguna vista de corte; elija una disposición que tenga una.</translation>
    </message>
    <message>
        <source>The slice view is outside the volume; scroll to the volume.</source>
        <translation>La vista de corte está fuera del volumen; desplácese hasta el volumen.</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>Escriba qué segmentar, por ejemplo: liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one in the module Text Prompt Segmentation.</source>
        <translation>No hay ningún modelo instalado; importe uno en el módulo Segmentación por texto.</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>No se aceptó la licencia del modelo.</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>Seleccione una región de interés u otro ámbito.</translation>
    </message>
</context>
<context>
    <name>panel.batch_section</name>
    <message>
        <source>Batch</source>
        <translation>Lote</translation>
    </message>
    <message>
        <source>Volumes of the scene</source>
        <translation>Volúmenes de la escena</translation>
    </message>
    <message>
        <source>Images of a folder</source>
        <translation>Imágenes de una carpeta</translation>
    </message>
    <message>
        <source>Folder with images</source>
        <translation>Carpeta con imágenes</translation>
    </message>
    <message>
        <source>Folder for results and summary.csv</source>
        <translation>Carpeta para los resultados y summary.csv</translation>
    </message>
    <message>
        <source>Skip images that an earlier run finished</source>
        <translation>Omitir las imágenes que terminó un cálculo anterior</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Imagen</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Indicación</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Resultado</translation>
    </message>
    <message>
        <source>ml</source>
        <translation>ml</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>Observación</translation>
    </message>
    <message>
        <source>Use the prompts, checkpoint and threshold chosen above.</source>
        <translation>Usar las indicaciones, el modelo y el umbral elegidos arriba.</translation>
    </message>
    <message>
        <source>Images:</source>
        <translation>Imágenes:</translation>
    </message>
    <message>
        <source>Folder:</source>
        <translation>Carpeta:</translation>
    </message>
    <message>
        <source>Results:</source>
        <translation>Resultados:</translation>
    </message>
    <message>
        <source>Cancelled; what was finished is in the results folder.</source>
        <translation>Cancelado; lo terminado está en la carpeta de resultados.</translation>
    </message>
    <message>
        <source>done before</source>
        <translation>hecho antes</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>falló</translation>
    </message>
    <message>
        <source>{done} of {total} images done, {failed} failed.</source>
        <translation>{done} de {total} imágenes terminadas, {failed} fallidas.</translation>
    </message>
    <message>
        <source>Table: {path}</source>
        <translation>Tabla: {path}</translation>
    </message>
    <message>
        <source>Choose the folders of the images and of the results.</source>
        <translation>Elija las carpetas de las imágenes y de los resultados.</translation>
    </message>
</context>
<context>
    <name>panel.device_box</name>
    <message>
        <source>Where the network runs. Automatic takes the GPU with most memory.</source>
        <translation>Dónde se ejecuta la red. Automático toma la GPU con más memoria.</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>Buscar</translation>
    </message>
    <message>
        <source>Start the worker and list devices with their free memory.</source>
        <translation>Iniciar el proceso de cálculo y listar los dispositivos con su memoria libre.</translation>
    </message>
    <message>
        <source>Unload model</source>
        <translation>Descargar el modelo de la memoria</translation>
    </message>
    <message>
        <source>End the worker process; all its memory is given back.</source>
        <translation>Terminar el proceso de cálculo; se devuelve toda su memoria.</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automático</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>{device}, {size} free</source>
        <translation>{device}, {size} libres</translation>
    </message>
    <message>
        <source>A run will need about {size}.</source>
        <translation>Un cálculo necesitará unos {size}.</translation>
    </message>
    <message>
        <source>A run will need about {size}; {free} are free.</source>
        <translation>Un cálculo necesitará unos {size}; hay {free} libres.</translation>
    </message>
    <message>
        <source>Choose a smaller range or another device if it fails.</source>
        <translation>Elija un ámbito menor u otro dispositivo si falla.</translation>
    </message>
</context>
<context>
    <name>panel.models_section</name>
    <message>
        <source>Checkpoints</source>
        <translation>Modelos</translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation>Modelo</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Estado</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Tamaño</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Memoria</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Licencia</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>Imágenes</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Descargar</translation>
    </message>
    <message>
        <source>Get this checkpoint; can resume.</source>
        <translation>Obtener este modelo; se puede reanudar.</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Verificar</translation>
    </message>
    <message>
        <source>Compare the sha256 of the weights.</source>
        <translation>Comparar el sha256 de los pesos.</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>Ficha del modelo</translation>
    </message>
    <message>
        <source>Training data, results, known failures.</source>
        <translation>Datos de entrenamiento, resultados, fallos conocidos.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Eliminar</translation>
    </message>
    <message>
        <source>Delete an imported checkpoint.</source>
        <translation>Eliminar un modelo importado.</translation>
    </message>
    <message>
        <source>Import folder...</source>
        <translation>Importar carpeta...</translation>
    </message>
    <message>
        <source>Copy a checkpoint folder.</source>
        <translation>Copiar la carpeta de un modelo.</translation>
    </message>
    <message>
        <source>Import zip...</source>
        <translation>Importar zip...</translation>
    </message>
    <message>
        <source>Unpack a checkpoint zip.</source>
        <translation>Descomprimir el zip de un modelo.</translation>
    </message>
    <message>
        <source>Import weights...</source>
        <translation>Importar pesos...</translation>
    </message>
    <message>
        <source>Make a checkpoint of a file of weights that others publish.</source>
        <translation>Hacer un modelo de un archivo de pesos que publican otros.</translation>
    </message>
    <message>
        <source>Whose weights the file holds; nothing is guessed from its name.</source>
        <translation>De quién son los pesos del archivo; nada se adivina por su nombre.</translation>
    </message>
    <message>
        <source>Change folder...</source>
        <translation>Cambiar carpeta...</translation>
    </message>
    <message>
        <source>Keep imported and downloaded checkpoints elsewhere; what is there is not moved.</source>
        <translation>Guardar en otro lugar los modelos importados y descargados; lo que ya existe no se mueve.</translation>
    </message>
    <message>
        <source>Imported checkpoints are kept in {folder}</source>
        <translation>Los modelos importados se guardan en {folder}</translation>
    </message>
    <message>
        <source>shipped</source>
        <translation>incluido</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>importado</translation>
    </message>
    <message>
        <source>download</source>
        <translation>descargable</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>dañado</translation>
    </message>
    <message>
        <source>{name} is installed; its sha256 is right.</source>
        <translation>{name} está instalado; su sha256 es correcto.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Cancelar</translation>
    </message>
    <message>
        <source>Folder of a checkpoint</source>
        <translation>Carpeta de un modelo</translation>
    </message>
    <message>
        <source>Zip of a checkpoint</source>
        <translation>Zip de un modelo</translation>
    </message>
    <message>
        <source>File of weights</source>
        <translation>Archivo de pesos</translation>
    </message>
    <message>
        <source>{name} was imported.</source>
        <translation>Se importó {name}.</translation>
    </message>
    <message>
        <source>Folder for checkpoints</source>
        <translation>Carpeta para modelos</translation>
    </message>
    <message>
        <source>Delete the checkpoint '{name}' from this computer?</source>
        <translation>¿Eliminar el modelo «{name}» de este ordenador?</translation>
    </message>
    <message>
        <source>{name} was deleted.</source>
        <translation>Se eliminó {name}.</translation>
    </message>
    <message>
        <source>This checkpoint has no model card.</source>
        <translation>Este modelo no tiene ficha.</translation>
    </message>
    <message>
        <source>Download '{title}' ({size})?

Licence: {licence}
{line}</source>
        <translation>¿Descargar «{title}» ({size})?

Licencia: {licence}
{line}</translation>
    </message>
    <message>
        <source>Download a checkpoint</source>
        <translation>Descargar un modelo</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>Cancelado.</translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation>{names} y {count} más</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>cualquier palabra (vocabulario abierto)</translation>
    </message>
    <message>
        <source>Trained on: {prompts}</source>
        <translation>Entrenado con: {prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>no indicado</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>Medido: {tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>Licencia: {licence}</translation>
    </message>
</context>
<context>
    <name>panel.panel</name>
    <message>
        <source>The console call is on the clipboard.</source>
        <translation>La llamada de consola está en el portapapeles.</translation>
    </message>
    <message>
        <source>Undone.</source>
        <translation>Deshecho.</translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation>No hay nada que deshacer.</translation>
    </message>
    <message>
        <source>{count} candidates were added as segments.</source>
        <translation>Se añadieron {count} candidatos como segmentos.</translation>
    </message>
    <message>
        <source>No volume is selected; load or choose one first.</source>
        <translation>No hay ningún volumen seleccionado; cargue o elija uno primero.</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>Escriba qué segmentar, por ejemplo: liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one under Checkpoints.</source>
        <translation>No hay ningún modelo instalado; importe uno en Modelos.</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>No se aceptó la licencia del modelo.</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>Seleccione una región de interés u otro ámbito.</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>Cancelado; no se cambió nada.</translation>
    </message>
    <message>
        <source>{count} frames were segmented.</source>
        <translation>Se segmentaron {count} fotogramas.</translation>
    </message>
</context>
<context>
    <name>panel.results_section</name>
    <message>
        <source>Results</source>
        <translation>Resultados</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Indicación</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>Resultado</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Tamaño</translation>
    </message>
    <message>
        <source>max p</source>
        <translation>p máx.</translation>
    </message>
    <message>
        <source>s</source>
        <translation>s</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>Probabilidad</translation>
    </message>
    <message>
        <source>Show the probability of the selected row over the image, as a volume.</source>
        <translation>Mostrar sobre la imagen la probabilidad de la fila seleccionada, como volumen.</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>Incertidumbre</translation>
    </message>
    <message>
        <source>Show where the answer of the selected row is unsure, as a volume.</source>
        <translation>Mostrar como volumen dónde es insegura la respuesta de la fila seleccionada.</translation>
    </message>
    <message>
        <source>Heat map</source>
        <translation>Mapa de calor</translation>
    </message>
    <message>
        <source>Show where the network looked for the selected row, as a volume.</source>
        <translation>Mostrar como volumen dónde miró la red para la fila seleccionada.</translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation>Candidatos</translation>
    </message>
    <message>
        <source>Add every candidate of the selected row as a segment, to choose from.</source>
        <translation>Añadir cada candidato de la fila seleccionada como segmento, para elegir.</translation>
    </message>
    <message>
        <source>Copy as Python</source>
        <translation>Copiar como Python</translation>
    </message>
    <message>
        <source>Put the console call that does the same on the clipboard.</source>
        <translation>Poner en el portapapeles la llamada de consola que hace lo mismo.</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>Copiar tabla</translation>
    </message>
    <message>
        <source>Put the table with sizes and outcomes on the clipboard, for a spreadsheet.</source>
        <translation>Poner en el portapapeles la tabla con tamaños y resultados, para una hoja de cálculo.</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>Estadísticas</translation>
    </message>
    <message>
        <source>Compute volumes and intensities of all segments into a Segment Statistics table.</source>
        <translation>Calcular volúmenes e intensidades de todos los segmentos en una tabla de Estadísticas de los segmentos.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Deshacer</translation>
    </message>
    <message>
        <source>Take back the last run of this panel.</source>
        <translation>Deshacer el último cálculo de este panel.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Mostrar</translation>
    </message>
    <message>
        <source>Show the middle of this structure in the slice views.</source>
        <translation>Mostrar el centro de esta estructura en las vistas de corte.</translation>
    </message>
    <message>
        <source>Volume (ml)</source>
        <translation>Volumen (ml)</translation>
    </message>
    <message>
        <source>Voxels</source>
        <translation>Vóxeles</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>Observación</translation>
    </message>
    <message>
        <source>{name} statistics</source>
        <translation>estadísticas de {name}</translation>
    </message>
    <message>
        <source>{outcome}, unusual</source>
        <translation>{outcome}, inusual</translation>
    </message>
    <message>
        <source>found</source>
        <translation>encontrado</translation>
    </message>
    <message>
        <source>below threshold</source>
        <translation>bajo el umbral</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>no encontrado</translation>
    </message>
    <message>
        <source>not trained</source>
        <translation>no entrenado</translation>
    </message>
</context>
<context>
    <name>panel.scene_batch</name>
    <message>
        <source>It was deleted.</source>
        <translation>Se eliminó.</translation>
    </message>
    <message>
        <source>Image {number} of {count}: {progress}</source>
        <translation>Imagen {number} de {count}: {progress}</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>Cancelado.</translation>
    </message>
</context>
<context>
    <name>panel.segment_section</name>
    <message>
        <source>Segment</source>
        <translation>Segmentar</translation>
    </message>
    <message>
        <source>The image; a sequence is segmented frame by frame.</source>
        <translation>La imagen; una secuencia se segmenta fotograma a fotograma.</translation>
    </message>
    <message>
        <source>All frames of the sequence</source>
        <translation>Todos los fotogramas de la secuencia</translation>
    </message>
    <message>
        <source>One structure per line, or several with commas</source>
        <translation>Una estructura por línea, o varias separadas por comas</translation>
    </message>
    <message>
        <source>One answer</source>
        <translation>Una respuesta</translation>
    </message>
    <message>
        <source>How many plausible answers to draw; the result is their mean, with its uncertainty.</source>
        <translation>Cuántas respuestas plausibles generar; el resultado es su media, con su incertidumbre.</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>Candidatos:</translation>
    </message>
    <message>
        <source>Segments are added to it; its own segments stay as they are.</source>
        <translation>Se le añaden segmentos; los suyos quedan como están.</translation>
    </message>
    <message>
        <source>Create new segmentation</source>
        <translation>Crear una segmentación nueva</translation>
    </message>
    <message>
        <source>Segment the image; the window stays free meanwhile.</source>
        <translation>Segmentar la imagen; la ventana sigue libre mientras tanto.</translation>
    </message>
    <message>
        <source>Input volume:</source>
        <translation>Volumen de entrada:</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>La imagen es:</translation>
    </message>
    <message>
        <source>Prompts:</source>
        <translation>Indicaciones:</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>Modelo:</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>Ayudas:</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>Ámbito:</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>Umbral:</translation>
    </message>
    <message>
        <source>Device:</source>
        <translation>Dispositivo:</translation>
    </message>
    <message>
        <source>Output:</source>
        <translation>Salida:</translation>
    </message>
</context>
<context>
    <name>panel.sequence_run</name>
    <message>
        <source>Frame {number} of {count}: {progress}</source>
        <translation>Fotograma {number} de {count}: {progress}</translation>
    </message>
</context>
<context>
    <name>panel.setup_section</name>
    <message>
        <source>Dependencies</source>
        <translation>Dependencias</translation>
    </message>
    <message>
        <source>Install</source>
        <translation>Instalar</translation>
    </message>
    <message>
        <source>Folder with wheels, to install without a network</source>
        <translation>Carpeta con wheels, para instalar sin red</translation>
    </message>
    <message>
        <source>Slicer's own Python</source>
        <translation>El Python de Slicer</translation>
    </message>
    <message>
        <source>Another Python interpreter with textpromptseg installed, to run the worker in.</source>
        <translation>Otro intérprete de Python con textpromptseg instalado, en el que ejecutar el proceso de cálculo.</translation>
    </message>
    <message>
        <source>Offline:</source>
        <translation>Sin red:</translation>
    </message>
    <message>
        <source>Interpreter:</source>
        <translation>Intérprete:</translation>
    </message>
    <message>
        <source>The last installation was not finished; press Install to go on.</source>
        <translation>La última instalación no terminó; pulse Instalar para continuar.</translation>
    </message>
    <message>
        <source>Folder with wheels</source>
        <translation>Carpeta con wheels</translation>
    </message>
</context>
<context>
    <name>shared.dependencies</name>
    <message>
        <source>There is no program '{path}'; choose a Python interpreter.</source>
        <translation>No existe el programa «{path}»; elija un intérprete de Python.</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python: {error}.</source>
        <translation>«{path}» no funciona como Python: {error}.</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python.</source>
        <translation>«{path}» no funciona como Python.</translation>
    </message>
    <message>
        <source>'{path}' lacks {names}; install textpromptseg there.</source>
        <translation>A «{path}» le falta {names}; instale allí textpromptseg.</translation>
    </message>
    <message>
        <source>Segmenting needs these Python packages first: {names}. &lt;a href="install"&gt;Open the module Text Prompt Segmentation&lt;/a&gt; and press Install.</source>
        <translation>Para segmentar hacen falta primero estos paquetes de Python: {names}. &lt;a href="install"&gt;Abra el módulo Segmentación por texto&lt;/a&gt; y pulse Instalar.</translation>
    </message>
    <message>
        <source>Everything is installed.</source>
        <translation>Todo está instalado.</translation>
    </message>
    <message>
        <source>about {size} MB</source>
        <translation>unos {size} MB</translation>
    </message>
    <message>
        <source>about {cpu} MB; with a CUDA graphics card up to {gpu} MB</source>
        <translation>unos {cpu} MB; con una tarjeta gráfica CUDA hasta {gpu} MB</translation>
    </message>
    <message>
        <source>Install will download into Slicer's Python:
{list}</source>
        <translation>Instalar descargará en el Python de Slicer:
{list}</translation>
    </message>
    <message>
        <source>The folder '{folder}' does not exist.</source>
        <translation>La carpeta «{folder}» no existe.</translation>
    </message>
    <message>
        <source>Installing PyTorch...</source>
        <translation>Instalando PyTorch...</translation>
    </message>
    <message>
        <source>Installing {names}...</source>
        <translation>Instalando {names}...</translation>
    </message>
    <message>
        <source>The installation stopped: {reason}. What is already installed stays; press Install to go on, or choose a folder with wheels when there is no network.</source>
        <translation>La instalación se detuvo: {reason}. Lo ya instalado se conserva; pulse Instalar para continuar, o elija una carpeta con wheels si no hay red.</translation>
    </message>
    <message>
        <source>Still missing: {names}. Restart Slicer and press Install again.</source>
        <translation>Aún faltan: {names}. Reinicie Slicer y pulse Instalar otra vez.</translation>
    </message>
    <message>
        <source>The extension PyTorch is needed to install torch for this computer; install it with the Extensions Manager, restart Slicer and press Install again.</source>
        <translation>Hace falta la extensión PyTorch para instalar torch en este ordenador; instálela con el Gestor de Extensiones, reinicie Slicer y pulse Instalar otra vez.</translation>
    </message>
    <message>
        <source>PyTorch was not installed; press Install to try again.</source>
        <translation>PyTorch no se instaló; pulse Instalar para volver a intentarlo.</translation>
    </message>
</context>
<context>
    <name>shared.overlays</name>
    <message>
        <source>probability</source>
        <translation>probabilidad</translation>
    </message>
    <message>
        <source>uncertainty</source>
        <translation>incertidumbre</translation>
    </message>
    <message>
        <source>heat map</source>
        <translation>mapa de calor</translation>
    </message>
    <message>
        <source>Text prompt {map}</source>
        <translation>Indicación de texto {map}</translation>
    </message>
</context>
<context>
    <name>shared.quality_words</name>
    <message>
        <source>good</source>
        <translation>bueno</translation>
    </message>
    <message>
        <source>fair</source>
        <translation>regular</translation>
    </message>
    <message>
        <source>experimental</source>
        <translation>experimental</translation>
    </message>
    <message>
        <source>{tier}, Dice {dice} in {count} cases</source>
        <translation>{tier}, Dice {dice} en {count} casos</translation>
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
        <translation>Iniciando...</translation>
    </message>
    <message>
        <source>{percent} %</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>{progress}, about {time} left</source>
        <translation>{progress}, quedan unos {time}</translation>
    </message>
    <message>
        <source>Computed on {device} in {time:.1f} s.</source>
        <translation>Calculado en {device} en {time:.1f} s.</translation>
    </message>
    <message>
        <source>Memory ran out, so it {steps}.</source>
        <translation>Se agotó la memoria, por lo que: {steps}.</translation>
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
